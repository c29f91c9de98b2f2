package viz

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strconv"
	"strings"

	"golang.org/x/image/draw"
	"gonum.org/v1/plot/text"

	"github.com/chestlab/chest/internal/echarts"
	"github.com/chestlab/chest/kernel/display"
)

// Places of the grid, in pixels.
const (
	tileGap     = 6  // between hits
	tileFrame   = 3  // around each
	tileWords   = 28 // under each: two lines
	tileRule    = 24 // between query and hits
	tileNumbers = 20 // above the first row
)

// Green and red of the frames, for every eye different in lightness too.
var (
	rightFrame = color.RGBA{0x00, 0x9e, 0x73, 0xff}
	wrongFrame = color.RGBA{0xc8, 0x1e, 0x1e, 0xff}
)

// top is where the first row begins.
func (f *RetrievalFigure) top() float64 {
	return heading{f.o.Title, f.caption()}.room() + tileNumbers
}

// tile is the box of the image in a row: column 0 is the query.
func (f *RetrievalFigure) tile(row, column int) place {
	side := float64(f.o.Size)
	x := float64(chartEdge + tileFrame)
	if column > 0 {
		x += side + tileRule + float64(column-1)*(side+2*tileFrame+tileGap) + 2*tileFrame
	}
	return place{x, f.top() + tileFrame + float64(row)*(side+2*tileFrame+tileWords+tileGap), side, side}
}

// bounds is the size of the picture: as wide as its hits.
func (f *RetrievalFigure) bounds() (w, h int) {
	last := f.tile(max(len(f.queries), 1)-1, f.columns)
	return max(int(last.x+last.w)+tileFrame+chartEdge, 320), int(last.y+last.h) + tileFrame + tileWords + 8
}

// central is the middle of an image, side pixels wide; grey without an image.
func central(m image.Image, side int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.Draw(out, out.Bounds(), image.NewUniform(pale), image.Point{}, draw.Src)
	if m == nil || m.Bounds().Empty() {
		return out
	}
	b := m.Bounds()
	n := min(b.Dx(), b.Dy())
	corner := b.Min.Add(image.Pt((b.Dx()-n)/2, (b.Dy()-n)/2))
	draw.CatmullRom.Scale(out, out.Bounds(), m, image.Rectangle{corner, corner.Add(image.Pt(n, n))}, draw.Over, nil)
	return out
}

// words are the two lines under hit k of query i, without the cross.
func (f *RetrievalFigure) words(i, k int) (class, number string) {
	h := f.queries[i].Hits[k]
	return h.Class, strconv.FormatFloat(h.Distance, 'g', 3, 64)
}

// Option is the picture as an ECharts option: the images are the marks of
// points, whose hover texts are whole names. A distance that is not finite is an
// error that names query and hit.
func (f *RetrievalFigure) Option() ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	w, h := f.bounds()
	data := []obj{}
	for i, q := range f.queries {
		mark, err := f.mark(i, 0, q.Image, ink, "query: "+q.Class, q.Class, "")
		if err != nil {
			return nil, err
		}
		data = append(data, mark...)
		for k, hit := range q.Hits {
			class, number := f.words(i, k)
			c, sign := rightFrame, ""
			if !f.right(i, k) {
				c, sign = wrongFrame, "✗ "
			}
			mark, err := f.mark(i, k+1, hit.Image, c, fmt.Sprintf("%d: %s%s, %s %s", k+1, sign, class, f.o.Measure, number), sign+class, number)
			if err != nil {
				return nil, err
			}
			data = append(data, mark...)
		}
	}
	return with(obj{
		"title":   append(heading{f.o.Title, f.caption()}.option(w), f.numbers()...),
		"tooltip": obj{"trigger": "item", "confine": true, "formatter": "{b}"},
		"grid":    obj{"left": 0, "top": 0, "width": w, "height": h},
		"xAxis":   hidden(w, nil), "yAxis": hidden(h, obj{"inverse": true}),
		"series": []obj{
			{"type": "scatter", "name": "images", "data": data, "clip": false, "emphasis": obj{"scale": false},
				"label": obj{"show": true, "position": "bottom", "distance": 4, "formatter": "{b}", "fontSize": f.letters(), "lineHeight": 13, "color": hexOf(ink)}},
			f.rules(),
		},
	})
}

// numbers are the headings of the columns.
func (f *RetrievalFigure) numbers() []obj {
	style := obj{"color": hexOf(quiet), "fontSize": 11, "fontWeight": "normal"}
	head := func(at place, txt string) obj {
		return obj{"text": txt, "left": at.x + at.w/2, "top": f.top() - 16, "padding": 0, "textAlign": "center", "textStyle": style}
	}
	all := []obj{head(f.tile(0, 0), "query")}
	for k := range f.columns {
		all = append(all, head(f.tile(0, k+1), strconv.Itoa(k+1)))
	}
	return all
}

// rules are the lines between queries and hits.
func (f *RetrievalFigure) rules() obj {
	data := [][]any{}
	for i := range f.queries {
		x, top, bottom := f.rule(i)
		data = append(data, []any{x, top}, []any{x, bottom}, []any{nil, nil})
	}
	return obj{"type": "line", "silent": true, "symbol": "none", "tooltip": obj{"show": false}, "data": data,
		"lineStyle": obj{"color": hexOf(grey), "width": 1, "type": "solid"}}
}

// rule is the line at the right of query i.
func (f *RetrievalFigure) rule(i int) (x, top, bottom float64) {
	at := f.tile(i, 0)
	return at.x + at.w + tileFrame + (tileRule-2*tileFrame)/2 + 0.5, at.y - tileFrame, at.y + at.h + tileFrame + tileWords
}

// mark is an image of the grid as two points, its frame and itself.
func (f *RetrievalFigure) mark(row, column int, m image.Image, frame color.RGBA, hover, class, number string) ([]obj, error) {
	at := f.tile(row, column)
	middle := []float64{at.x + at.w/2, at.y + at.h/2}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, central(m, f.pixels()), &jpeg.Options{Quality: 85}); err != nil {
		return nil, fmt.Errorf("viz: retrieval: %w", err)
	}
	c := ink
	if frame == wrongFrame {
		c = wrongFrame
	}
	style := sans(f.letters(), c, false)
	txt := cut(style, class, at.w+tileFrame) + "\n" + number
	if column == 0 {
		txt = strings.Join(twoLines(style, class, at.w+tileFrame), "\n")
	}
	return []obj{
		{"value": middle, "name": hover, "symbol": "rect", "symbolSize": at.w + 2*tileFrame, "itemStyle": obj{"color": hexOf(frame), "opacity": 1},
			"label": obj{"show": true, "formatter": plainWords(txt), "color": hexOf(c)}},
		{"value": middle, "name": hover, "symbol": "image://data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(file.Bytes()), "symbolSize": at.w, "itemStyle": obj{"opacity": 1}, "label": obj{"show": false}},
	}, nil
}

// plainWords is txt as a formatter that says just that: a brace would begin a
// variable, so an invisible space comes after it.
func plainWords(txt string) string { return strings.ReplaceAll(txt, "{", "{\u200b") }

// pixels is the side of the images in the option: twice the size on the page,
// for sharp screens, where they are few.
func (f *RetrievalFigure) pixels() int {
	if len(f.queries)*(f.columns+1) <= 40 {
		return 2 * f.o.Size
	}
	return f.o.Size
}

// paint draws the whole picture.
func (f *RetrievalFigure) paint(s *sheet) error {
	if err := f.check(); err != nil {
		return err
	}
	heading{f.o.Title, f.caption()}.paint(s)
	head := anchored(sans(11, quiet, false), text.XCenter, text.YTop)
	for k := range f.columns + 1 {
		at, txt := f.tile(0, k), strconv.Itoa(k)
		if k == 0 {
			txt = "query"
		}
		s.text(at.x+at.w/2, f.top()-16, head, txt)
	}
	for i, q := range f.queries {
		f.paintTile(s, f.tile(i, 0), q.Image, ink)
		f.paintQuery(s, f.tile(i, 0), q.Class)
		for k, h := range q.Hits {
			at, c := f.tile(i, k+1), rightFrame
			if !f.right(i, k) {
				c = wrongFrame
			}
			f.paintTile(s, at, h.Image, c)
			class, number := f.words(i, k)
			f.paintWords(s, at, !f.right(i, k), class, number)
		}
		x, top, bottom := f.rule(i)
		s.line(stroke(grey, 1, false), x, top, x, bottom)
	}
	return nil
}

// paintTile draws an image in its frame.
func (f *RetrievalFigure) paintTile(s *sheet, at place, m image.Image, frame color.RGBA) {
	s.rect(frame, place{at.x - tileFrame, at.y - tileFrame, at.w + 2*tileFrame, at.h + 2*tileFrame})
	s.image(at.x, at.y, at.w, at.h, central(m, sharp*f.o.Size))
}

// letters is the size of the words under images.
func (f *RetrievalFigure) letters() float64 {
	if f.o.Size < 60 {
		return 9
	}
	return 10
}

// twoLines breaks a name at a blank so that both lines fit a width as well as
// they can.
func twoLines(style text.Style, name string, width float64) []string {
	if cut(style, name, width) == name {
		return []string{name, ""}
	}
	at := -1
	for i, r := range name {
		if r == ' ' && (at < 0 || float64(style.Width(name[:i])/px) <= width) {
			at = i
		}
	}
	if at < 0 {
		return []string{cut(style, name, width), ""}
	}
	return []string{cut(style, name[:at], width), cut(style, name[at+1:], width)}
}

// paintQuery writes the class of a query under it.
func (f *RetrievalFigure) paintQuery(s *sheet, at place, class string) {
	style := anchored(sans(f.letters(), ink, false), text.XCenter, text.YTop)
	for k, line := range twoLines(style, class, at.w+tileFrame) {
		s.text(at.x+at.w/2, at.y+at.h+tileFrame+3+13*float64(k), style, line)
	}
}

// paintWords writes class and number under an image; a cross, drawn as lines
// because fonts lack it, marks a wrong one.
func (f *RetrievalFigure) paintWords(s *sheet, at place, wrong bool, class, number string) {
	style := anchored(sans(f.letters(), ink, false), text.XCenter, text.YTop)
	room, mid, y := at.w+tileFrame, at.x+at.w/2, at.y+at.h+tileFrame+3
	if wrong {
		style.Color = wrongFrame
		room -= 9
	}
	class = cut(style, class, room)
	if wrong {
		half := float64(style.Width(class)/px)/2 + 4
		x := mid - half
		for _, d := range []float64{-1, 1} {
			s.trace(wrongFrame, 1.5, false, [2]float64{x - 2.5, y + 6 - 2.5*d}, [2]float64{x + 2.5, y + 6 + 2.5*d})
		}
		mid += 3.5
	}
	s.text(mid, y, style, class)
	s.text(at.x+at.w/2, y+13, style, number)
}

// photographic says that 256 colours are too few.
func (f *RetrievalFigure) photographic() bool { return true }

// MIMEBundle is the picture in all its forms. As photographs make large PNG
// files, the picture inside the HTML is a JPEG, and a large PNG has 256 colours.
func (f *RetrievalFigure) MIMEBundle() map[string]any {
	b := message(f)
	option, optionErr := f.Option()
	whole, pngErr := f.PNG()
	if pngErr != nil || optionErr != nil {
		return b
	}
	m, err := png.Decode(bytes.NewReader(whole))
	if err != nil {
		return b
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, m, &jpeg.Options{Quality: 85}); err != nil {
		return b
	}
	if img, _ := b[display.MIMEPNG].([]byte); len(img) > heavy {
		b[display.MIMEPNG] = inPalette(img)
	}
	w, h := f.bounds()
	id := newID()
	b[display.MIMEHTML] = chart(id, echarts.Loader(id, "", option), photograph(f.Alt(), file.Bytes(), w, h), w, h)
	return b
}

// inPalette is a PNG file with 256 colours.
func inPalette(file []byte) []byte {
	m, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return file
	}
	if small, err := encodePNG(m, true); err == nil {
		return small
	}
	return file
}

// photograph is a JPEG file inside the document.
func photograph(alt string, jpeg []byte, w, h int) string {
	return fmt.Sprintf(`<img width="%d" height="%d" alt="%s" src="data:image/jpeg;base64,%s">`,
		w, h, html.EscapeString(alt), base64.StdEncoding.EncodeToString(jpeg))
}
