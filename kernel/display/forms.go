package display

import (
	"fmt"
	"image"
	"reflect"
)

// The interfaces by which a type says how it is shown; Displayer is one more.
// A value is shown in the forms of all that it implements. They are those of
// gophernotes.
type (
	// Renderer gives a whole output. A method that returns the same struct
	// under another name does as well.
	Renderer interface{ Render() Data }
	// SimpleRenderer gives forms by MIME type.
	SimpleRenderer interface{ SimpleRender() MIMEMap }
	// HTMLer gives an HTML fragment.
	HTMLer interface{ HTML() string }
	// JavaScripter gives a script.
	JavaScripter interface{ JavaScript() string }
	// JPEGer gives a JPEG file.
	JPEGer interface{ JPEG() []byte }
	// JSONer gives a JSON object.
	JSONer interface{ JSON() map[string]any }
	// Latexer gives LaTeX text with its own $ signs.
	Latexer interface{ Latex() string }
	// Markdowner gives Markdown text.
	Markdowner interface{ Markdown() string }
	// PNGer gives a PNG file.
	PNGer interface{ PNG() []byte }
	// PDFer gives a PDF file.
	PDFer interface{ PDF() []byte }
	// SVGer gives an SVG document.
	SVGer interface{ SVG() string }
)

// Interfaces lists the interfaces of this package by which a value says how it
// is shown. An interpreter needs them to hand values of its own types over.
func Interfaces() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[Displayer](), reflect.TypeFor[Renderer](), reflect.TypeFor[SimpleRenderer](),
		reflect.TypeFor[HTMLer](), reflect.TypeFor[JavaScripter](), reflect.TypeFor[JPEGer](),
		reflect.TypeFor[JSONer](), reflect.TypeFor[Latexer](), reflect.TypeFor[Markdowner](),
		reflect.TypeFor[PNGer](), reflect.TypeFor[PDFer](), reflect.TypeFor[SVGer](),
	}
}

// Of is how any value is shown, as Render without the metadata.
func Of(v any) Bundle { return Render(v).Data }

// Render is how any value is shown:
//
//	a Data, a Bundle                    as it is
//	a type with methods of Interfaces   in all these forms
//	an image                            as PNG
//	an error, a fmt.Stringer            by its text
//	a matrix                            as a table, a large one in part
//	rows: slices of structs, of maps
//	or of slices, and maps              as a table of at most 60 rows
//	slices of what has a text           a line for each of the first 60
//	slices of over 1000 numbers or texts  those at both ends
//	everything else                     as fmt.Sprint prints it
//
// It always has a text form. A method that panics is shown as that, beside
// what the others give.
func Render(v any) (d Data) {
	v = pointed(v)
	if d, ok := forms(v); ok {
		return d
	}
	defer func() {
		if r := recover(); r != nil {
			d = Text(fmt.Sprintf("display: %T: %v", v, r))
		}
	}()
	inner := unwrap(v)
	if _, ok := textual(v); ok {
		return Text(text(v))
	}
	if m, ok := inner.(matrix); ok && !isNil(inner) {
		return showMatrix(m)
	}
	if t, ok := tableOf(inner); ok {
		return t.data()
	}
	if s, ok := listText(inner); ok {
		return Text(s)
	}
	return Text(text(v))
}

// pointed is a pointer to a copy of v where v is a struct whose pointer says how
// it is shown and which does not say it itself, as a mat.Dense; else v.
func pointed(v any) any {
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Struct || tells(r.Type()) {
		return v
	}
	if _, ok := wrapped(v); ok {
		return v
	}
	p := reflect.New(r.Type())
	if _, ok := p.Interface().(matrix); !ok && !tells(p.Type()) {
		return v
	}
	p.Elem().Set(r)
	return p.Interface()
}

// forms is v in the forms that its type knows; false: it knows none.
func forms(v any) (d Data, ok bool) {
	switch v := v.(type) {
	case Data:
		d.merge(v)
		d.fillText(v)
		return d, true
	case Bundle:
		d.merge(Data{Data: v})
		d.fillText(v)
		return d, true
	}
	if isNil(v) {
		return d, false
	}
	failures := ""
	for _, name := range formNames {
		m := method(v, name)
		if !m.IsValid() {
			continue
		}
		one, err := call(m, name)
		if err != nil {
			failures += fmt.Sprintf("display: %s of %s %v\n", name, typeName(v), err)
		}
		d.merge(one)
	}
	if m, is := unwrap(v).(image.Image); is && d.Data[MIMEPNG] == nil {
		d.merge(Image(m))
	}
	if failures != "" {
		if d.Data == nil {
			d.Data = MIMEMap{}
		}
		old, _ := d.Data[MIMEText].(string)
		d.Data[MIMEText] = failures[:len(failures)-1]
		if old != "" {
			d.Data[MIMEText] = failures + old
		}
	}
	if len(d.Data) == 0 {
		return d, false
	}
	d.fillText(v)
	return d, true
}

// formNames lists the methods of Interfaces; where two give the same form, the
// later one wins.
var formNames = []string{
	"HTML", "JavaScript", "JPEG", "JSON", "Latex", "Markdown", "PNG", "PDF", "SVG",
	"SimpleRender", "Render", "MIMEBundle",
}

// mimes is what those methods give that give one form.
var mimes = map[string]string{
	"HTML": MIMEHTML, "JavaScript": MIMEScript, "JPEG": MIMEJPEG, "JSON": MIMEJSON, "Latex": MIMELatex,
	"Markdown": MIMEMarkdown, "PNG": MIMEPNG, "PDF": MIMEPDF, "SVG": MIMESVG,
}

var results = map[string]reflect.Type{
	"HTML": reflect.TypeFor[string](), "JavaScript": reflect.TypeFor[string](), "JPEG": reflect.TypeFor[[]byte](),
	"JSON": reflect.TypeFor[MIMEMap](), "Latex": reflect.TypeFor[string](), "Markdown": reflect.TypeFor[string](),
	"PNG": reflect.TypeFor[[]byte](), "PDF": reflect.TypeFor[[]byte](), "SVG": reflect.TypeFor[string](),
	"SimpleRender": reflect.TypeFor[MIMEMap](), "Render": reflect.TypeFor[Data](), "MIMEBundle": reflect.TypeFor[MIMEMap](),
}

// call calls a method that gives forms.
func call(m reflect.Value, name string) (d Data, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panicked: %v", r)
		}
	}()
	v := m.Call(nil)[0].Convert(results[name]).Interface()
	switch v := v.(type) {
	case Data:
		return v, nil
	case MIMEMap:
		if name != "JSON" {
			return Data{Data: v}, nil
		}
		if v == nil {
			return Data{}, nil
		}
	case string:
		if v == "" {
			return Data{}, nil
		}
	case []byte:
		if len(v) == 0 {
			return Data{}, nil
		}
		d = MakeData(mimes[name], v)
		delete(d.Data, MIMEText)
		return d, nil
	}
	return Data{Data: MIMEMap{mimes[name]: v}}, nil
}

// fillText adds a text form for v when there is none: v's own text, or what
// the other forms say.
func (d *Data) fillText(v any) {
	if d.Data == nil {
		d.Data = MIMEMap{}
	}
	if s, ok := d.Data[MIMEText]; ok && s != "" {
		return
	}
	if s, ok := textual(v); ok {
		d.Data[MIMEText] = s()
	} else if s, ok := d.Data[MIMEMarkdown].(string); ok {
		d.Data[MIMEText] = s
	} else if s, ok := d.Data[MIMELatex].(string); ok {
		d.Data[MIMEText] = s
	} else if s, ok := d.Data[MIMEHTML].(string); ok {
		d.Data[MIMEText] = withoutTags(s)
	} else if v != nil && typeName(v) != "" {
		d.Data[MIMEText] = "<" + typeName(v) + ">"
	} else {
		d.Data[MIMEText] = "<display>"
	}
}
