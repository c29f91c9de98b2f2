package datasets

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"image/png"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/chestlab/chest/internal/parallel"
)

// Bounds of an Omniglot archive, far above the published ones, so that a broken
// or hostile file ends in an error and not in the whole memory.
const (
	maxArchive = 256 << 20 // bytes of the zip file
	maxEntries = 100_000   // files and folders in it
	maxEntry   = 1 << 20   // bytes of one picture, unpacked
	maxSide    = 512       // pixels of one picture, each side
	maxName    = 100       // bytes of an alphabet, a character, a picture name
)

// glyph is one drawing of a character.
type glyph struct {
	alphabet, character, name string
	pix                       []uint8 // size×size, ink 255
}

// class is the name of its character among all alphabets.
func (g glyph) class() string { return g.alphabet + "/" + g.character }

// readGlyphs reads the zip file of n bytes called archive and scales its
// pictures to size×size. Glyphs come sorted by alphabet, character and name,
// whatever the order in the file.
func readGlyphs(ctx context.Context, r io.ReaderAt, n int64, archive string, size int) ([]glyph, error) {
	entries, glyphs, err := listGlyphs(r, n, archive)
	if err != nil {
		return nil, err
	}
	if total := int64(len(entries)) * int64(size*size); total > maxBytes {
		return nil, fmt.Errorf("datasets: Omniglot: %s: %d pictures of %d×%d take %d MiB: want at most %d MiB; lower Size",
			archive, len(entries), size, size, total>>20, maxBytes>>20)
	}
	err = parallel.Try(len(entries), 64, func(lo, hi int) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("datasets: Omniglot: %s: stopped near picture %d of %d: %w", archive, lo, len(entries), err)
		}
		for i := lo; i < hi; i++ {
			pix, err := readGlyph(entries[i], size)
			if err != nil {
				return fmt.Errorf("datasets: Omniglot: %s: %s: %w; download the archive again", archive, shown(entries[i].Name), err)
			}
			glyphs[i].pix = pix
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return glyphs, nil
}

// listGlyphs finds the pictures of an archive, sorted, without reading them.
func listGlyphs(r io.ReaderAt, n int64, archive string) ([]*zip.File, []glyph, error) {
	if n > maxArchive {
		return nil, nil, fmt.Errorf("datasets: Omniglot: %s: %d bytes: want at most %d; this is not a published archive", archive, n, maxArchive)
	}
	z, err := zip.NewReader(r, n)
	if err != nil {
		return nil, nil, fmt.Errorf("datasets: Omniglot: %s: %w; the file is cut short or no zip file: download it again", archive, err)
	}
	if len(z.File) > maxEntries {
		return nil, nil, fmt.Errorf("datasets: Omniglot: %s: %d entries: want at most %d; this is not a published archive", archive, len(z.File), maxEntries)
	}
	var entries []*zip.File
	for _, f := range z.File {
		if !ignored(f.Name) {
			entries = append(entries, f)
		}
	}
	slices.SortStableFunc(entries, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	glyphs := make([]glyph, len(entries))
	for i, f := range entries {
		if glyphs[i], err = named(f.Name); err != nil {
			return nil, nil, fmt.Errorf("datasets: Omniglot: %s: entry %s: %w", archive, shown(f.Name), err)
		}
		if i > 0 && f.Name == entries[i-1].Name {
			return nil, nil, fmt.Errorf("datasets: Omniglot: %s: entry %s stands there twice; download the archive again", archive, shown(f.Name))
		}
	}
	if len(entries) == 0 {
		return nil, nil, fmt.Errorf("datasets: Omniglot: %s: no picture among %d entries; download the archive again", archive, len(z.File))
	}
	return entries, glyphs, nil
}

// ignored is true of folders and of what desktop systems leave in archives.
func ignored(name string) bool {
	if strings.HasSuffix(name, "/") || strings.HasPrefix(name, "__MACOSX/") {
		return true
	}
	return strings.HasSuffix(name, "/.DS_Store") || name == ".DS_Store"
}

// named splits the name of an entry, archive/Alphabet/characterNN/NNNN_MM.png.
// Nothing is ever written under such a name, but a name that climbs out of its
// folder says that this is no Omniglot archive.
func named(name string) (glyph, error) {
	parts := strings.Split(name, "/")
	if len(parts) != 4 || !strings.HasPrefix(parts[2], "character") || !strings.HasSuffix(parts[3], ".png") {
		return glyph{}, fmt.Errorf("want a name like images/Greek/character01/0394_01.png; this is not a published archive")
	}
	for _, p := range parts {
		if p == "" || p == "." || p == ".." || len(p) > maxName || strings.Contains(p, `\`) ||
			!utf8.ValidString(p) || strings.ContainsFunc(p, unicode.IsControl) {
			return glyph{}, fmt.Errorf("%s is no plain name of at most %d bytes; this is not a published archive", shown(p), maxName)
		}
	}
	return glyph{alphabet: parts[1], character: parts[2], name: strings.TrimSuffix(parts[3], ".png")}, nil
}

// shown is a name from outside, quoted and cut short, for a message.
func shown(name string) string {
	if len(name) > 2*maxName {
		name = name[:2*maxName] + "…"
	}
	return fmt.Sprintf("%q", name)
}

// readGlyph reads one picture and scales it. Its size is checked before its
// pixels are unpacked; the size that the zip directory claims is not trusted.
func readGlyph(f *zip.File, size int) ([]uint8, error) {
	if f.UncompressedSize64 > maxEntry {
		return nil, fmt.Errorf("%d bytes unpacked: want at most %d", f.UncompressedSize64, maxEntry)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxEntry+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxEntry {
		return nil, fmt.Errorf("more than %d bytes unpacked", maxEntry)
	}
	c, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("no PNG picture: %w", err)
	}
	if c.Width != c.Height || c.Width < 1 || c.Width > maxSide {
		return nil, fmt.Errorf("picture of %d×%d: want a square of at most %d", c.Width, c.Height, maxSide)
	}
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("broken PNG picture: %w", err)
	}
	return shrink(ink(m), c.Width, size), nil
}
