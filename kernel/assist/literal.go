package assist

import (
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxPaths bounds how many files are offered.
const maxPaths = 1000

// completeCommand completes the word of a special command.
func completeCommand(env Env, code string, word span, cursor int) Completion {
	l := list{prefix: code[word.off:cursor], seen: map[string]bool{}}
	for _, c := range env.Commands {
		l.add(0, Match{"%" + strings.TrimPrefix(c.Name, "%"), "command", c.Help})
	}
	return Completion{word.off, word.end, l.sorted()}
}

// completeLiteral completes inside of a string: an import path or the path of
// a file. Other literals and comments have nothing to offer.
func completeLiteral(env Env, cell source, i, cursor int) Completion {
	none := Completion{Start: cursor, End: cursor, Matches: []Match{}}
	l := cell.lex[i]
	if l.tok != token.STRING {
		return none
	}
	typed := cell.text[l.off+1 : cursor]
	if inImport(cell.lex, i) {
		return completeImport(env, typed, l, cursor)
	}
	if strings.ContainsAny(typed, "\\\n") {
		return none
	}
	return completePath(env.Dir, typed, l.lit[0], cursor)
}

// completeImport completes an import path as a whole.
func completeImport(env Env, typed string, l lexeme, cursor int) Completion {
	matches := list{prefix: typed, seen: map[string]bool{}}
	for _, p := range env.paths() {
		matches.add(strings.Count(p, "/"), Match{p, "package", ""})
	}
	end := cursor
	if l.closed() {
		end = l.end - 1
	}
	return Completion{cursor - len(typed), end, matches.sorted()}
}

// completePath completes the last element of a file path in a string of this
// kind of quote. Names that the string could not hold as they are stay out,
// and so do hidden ones unless a dot is typed.
func completePath(dir, typed string, quote byte, cursor int) Completion {
	parent, name := filepath.Split(typed)
	l := list{prefix: name, seen: map[string]bool{}}
	if !filepath.IsAbs(parent) {
		parent = filepath.Join(dir, parent)
	}
	if parent == "" {
		parent = "."
	}
	entries, _ := os.ReadDir(parent)
	for _, e := range entries {
		text := e.Name()
		if strings.HasPrefix(text, ".") && !strings.HasPrefix(name, ".") || !fits(text, quote) || len(l.all) >= maxPaths {
			continue
		}
		detail := "file"
		if isDir(parent, e) {
			text, detail = text+"/", "directory"
		}
		l.add(0, Match{text, "path", detail})
	}
	return Completion{cursor - len(name), cursor, l.sorted()}
}

// fits says whether a string of this quote can hold text unescaped.
func fits(text string, quote byte) bool {
	if quote == '`' {
		return strconv.CanBackquote(text)
	}
	return !slices.ContainsFunc([]rune(text), func(r rune) bool {
		return r == '"' || r == '\\' || r == unicode.ReplacementChar || unicode.IsControl(r)
	})
}

// isDir says whether e is a directory or a link to one.
func isDir(parent string, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(filepath.Join(parent, e.Name()))
	return err == nil && info.IsDir()
}
