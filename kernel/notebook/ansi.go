package notebook

import (
	"fmt"
	"html"
	"strconv"
	"strings"
)

// plain is s without escape sequences and control characters, except tab and
// newline.
func plain(s string) string {
	if !strings.ContainsFunc(s, isControl) {
		return s
	}
	var b strings.Builder
	for s != "" {
		text, _, rest := nextEscape(s)
		b.WriteString(strings.Map(func(r rune) rune {
			if isControl(r) {
				return -1
			}
			return r
		}, text))
		s = rest
	}
	return b.String()
}

// isControl says whether r does more than to be shown.
func isControl(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' || r >= 0x7f && r < 0xa0
}

// nextEscape splits s at its first escape sequence: the text before it, the
// parameters if it sets colours (ESC [ … m), else "", and the text after it.
func nextEscape(s string) (text, sgr, rest string) {
	at := strings.IndexByte(s, 0x1b)
	if at < 0 {
		return s, "", ""
	}
	text, s = s[:at], s[at+1:]
	switch {
	case strings.HasPrefix(s, "["): // CSI: parameters, then one final byte
		end := strings.IndexFunc(s[1:], func(r rune) bool { return r >= 0x40 && r <= 0x7e || r < ' ' || r > 0x7e })
		if end < 0 {
			return text, "", ""
		}
		if s[1+end] == 'm' {
			sgr = s[1 : 1+end]
			if sgr == "" {
				sgr = "0"
			}
		}
		if s[1+end] < ' ' || s[1+end] > 0x7e { // broken off
			return text, "", s[1+end:]
		}
		return text, sgr, s[2+end:]
	case strings.HasPrefix(s, "]"): // OSC: up to BEL or ESC \
		if end := strings.IndexAny(s, "\a\x1b"); end >= 0 {
			return text, "", strings.TrimPrefix(strings.TrimPrefix(s[end:], "\a"), "\x1b\\")
		}
		return text, "", ""
	case s != "":
		return text, "", s[1:]
	}
	return text, "", ""
}

// ansiHTML is s as HTML: escaped, with the colours of escape sequences as
// spans of the classes ansi-1 … ansi-7 (and ansi-8 … ansi-15 for the bright
// ones), ansi-bg-… for the background, and ansi-bold.
func ansiHTML(s string) string {
	var b strings.Builder
	style := ansiStyle{fore: -1, back: -1}
	for s != "" {
		text, sgr, rest := nextEscape(s)
		if text = plain(text); text != "" {
			if class := style.class(); class != "" {
				fmt.Fprintf(&b, `<span class="%s">%s</span>`, class, html.EscapeString(text))
			} else {
				b.WriteString(html.EscapeString(text))
			}
		}
		if sgr != "" {
			style.set(sgr)
		}
		s = rest
	}
	return b.String()
}

// ansiStyle is what escape sequences have set; a colour of -1 is the default.
type ansiStyle struct {
	fore, back int
	bold       bool
}

// set applies the parameters of one sequence. Colours beyond the 16 of a plain
// terminal are shown as the default.
func (a *ansiStyle) set(sgr string) {
	codes := strings.Split(sgr, ";")
	for i := 0; i < len(codes); i++ {
		n, err := strconv.Atoi(codes[i])
		switch {
		case codes[i] == "" || err == nil && n == 0:
			*a = ansiStyle{fore: -1, back: -1}
		case err != nil:
		case n == 1:
			a.bold = true
		case n == 22:
			a.bold = false
		case n >= 30 && n <= 37:
			a.fore = n - 30
		case n >= 90 && n <= 97:
			a.fore = n - 90 + 8
		case n >= 40 && n <= 47:
			a.back = n - 40
		case n >= 100 && n <= 107:
			a.back = n - 100 + 8
		case n == 39:
			a.fore = -1
		case n == 49:
			a.back = -1
		case n == 38 || n == 48:
			colour, used := extended(codes[i+1:])
			i += used
			if n == 38 {
				a.fore = colour
			} else {
				a.back = colour
			}
		}
	}
}

// extended reads the codes after 38 or 48: 5;n or 2;r;g;b.
func extended(codes []string) (colour, used int) {
	if len(codes) >= 2 && codes[0] == "5" {
		if n, err := strconv.Atoi(codes[1]); err == nil && n >= 0 && n < 16 {
			return n, 2
		}
		return -1, 2
	}
	if len(codes) >= 1 && codes[0] == "2" {
		return -1, min(4, len(codes))
	}
	return -1, 0
}

// class is the classes of the style.
func (a ansiStyle) class() string {
	var all []string
	if a.fore >= 0 {
		all = append(all, "ansi-"+strconv.Itoa(a.fore))
	}
	if a.back >= 0 {
		all = append(all, "ansi-bg-"+strconv.Itoa(a.back))
	}
	if a.bold {
		all = append(all, "ansi-bold")
	}
	return strings.Join(all, " ")
}

// onTerminal is text as a terminal leaves it: a carriage return begins the
// line anew, a backspace takes a character back.
func onTerminal(s string) string {
	if !strings.ContainsAny(s, "\r\b") {
		return s
	}
	all := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range all {
		l = strings.TrimRight(l, "\r")
		l = l[strings.LastIndexByte(l, '\r')+1:]
		if strings.Contains(l, "\b") {
			var kept []rune
			for _, r := range l {
				if r != '\b' {
					kept = append(kept, r)
				} else if len(kept) > 0 {
					kept = kept[:len(kept)-1]
				}
			}
			l = string(kept)
		}
		all[i] = l
	}
	return strings.Join(all, "\n")
}
