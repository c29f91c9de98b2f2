// Package npy reads and writes NumPy's files of one array, .npy, and of several,
// .npz, as far as they hold numbers and texts. Arrays of Python objects, which
// NumPy reads by running what the file says, are refused.
//
// A file that is read may come from anywhere: the shape in its header is checked
// against the bytes that are there before memory is taken.
//
// Format: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays".
package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/chestlab/chest/internal/numbers"
)

const (
	magic      = "\x93NUMPY"
	mostHeader = 1 << 16 // bytes; that of an array of numbers has about a hundred
	mostDims   = 32      // NumPy's own bound
	mostTexts  = 5_000_000
)

// Read reads a file of one array. The array keeps data.
func Read(data []byte) (*numbers.Array, error) {
	return ReadFile(bytes.NewReader(data), int64(len(data)), int64(len(data)))
}

// ReadFile reads a file of n bytes that holds one array of at most limit bytes.
// Memory for it is taken after the header was checked.
func ReadFile(r io.ReaderAt, n, limit int64) (*numbers.Array, error) {
	a, err := readFile(r, n, limit)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	return a, nil
}

func readFile(r io.ReaderAt, n, limit int64) (*numbers.Array, error) {
	begin := make([]byte, min(n, 12+mostHeader))
	if _, err := r.ReadAt(begin, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	h, body, err := header(begin)
	if err != nil {
		return nil, err
	}
	at := int64(len(begin) - len(body))
	if err := h.layout(n-at, limit); err != nil {
		return nil, err
	}
	body = make([]byte, n-at)
	if _, err := r.ReadAt(body, at); err != nil && !(errors.Is(err, io.EOF) && len(body) == 0) {
		return nil, err
	}
	return h.array(body), nil
}

// head is what a header says.
type head struct {
	descr   string
	fortran bool
	shape   []int

	// What layout finds.
	kind  numbers.Kind
	wide  bool // texts of four bytes a character
	size  int  // bytes of an element
	count int
}

// header cuts the header from the data.
func header(data []byte) (h head, body []byte, err error) {
	if len(data) < 10 || string(data[:6]) != magic {
		return h, nil, fmt.Errorf("%d bytes that do not begin as a .npy file does", len(data))
	}
	n, at := int64(0), 0
	switch version := data[6]; version {
	case 1:
		n, at = int64(binary.LittleEndian.Uint16(data[8:])), 10
	case 2, 3:
		if len(data) < 12 {
			return h, nil, errors.New("the header is cut short")
		}
		n, at = int64(binary.LittleEndian.Uint32(data[8:])), 12
	default:
		return h, nil, fmt.Errorf("version %d; want 1, 2 or 3", version)
	}
	if n > mostHeader || n > int64(len(data)-at) {
		return h, nil, fmt.Errorf("a header of %d bytes in a file of %d; it is cut short or broken", n, len(data))
	}
	p := parser{text: string(data[at : at+int(n)])}
	if h, err = p.header(); err != nil {
		return h, nil, fmt.Errorf("header: %w", err)
	}
	return h, data[at+int(n):], nil
}

// parser reads the header: a dictionary as Python writes it.
type parser struct{ text string }

// next is true, and skips it, if the text goes on with s.
func (p *parser) next(s string) bool {
	p.text = strings.TrimLeft(p.text, " \t\n")
	rest, ok := strings.CutPrefix(p.text, s)
	if ok {
		p.text = rest
	}
	return ok
}

// header reads the dictionary.
func (p *parser) header() (h head, err error) {
	if !p.next("{") {
		return h, errors.New("no dictionary in braces")
	}
	seen := ""
	for !p.next("}") {
		key, ok := p.quoted()
		if !ok || !p.next(":") || strings.Contains(seen, key) {
			return h, fmt.Errorf("want each of 'descr', 'fortran_order' and 'shape' once, before %.40q", p.text)
		}
		seen += key + " "
		switch key {
		case "descr":
			if h.descr, ok = p.quoted(); !ok {
				return h, errors.New("'descr' is no text: the array has records; save each field as an array of its own")
			}
		case "fortran_order":
			if h.fortran = p.next("True"); !h.fortran && !p.next("False") {
				return h, fmt.Errorf("'fortran_order' before %.40q; want True or False", p.text)
			}
		case "shape":
			if h.shape, err = p.shape(); err != nil {
				return h, err
			}
		default:
			return h, fmt.Errorf("unknown key %.40q", key)
		}
		p.next(",")
	}
	if h.descr == "" || h.shape == nil || !strings.Contains(seen, "fortran_order") {
		return h, errors.New("'descr', 'fortran_order' or 'shape' is missing")
	}
	return h, nil
}

// quoted reads a text without escapes.
func (p *parser) quoted() (string, bool) {
	for _, quote := range []string{"'", `"`} {
		if p.next(quote) {
			s, rest, ok := strings.Cut(p.text, quote)
			p.text = rest
			return s, ok && s != ""
		}
	}
	return "", false
}

// shape reads a tuple of numbers.
func (p *parser) shape() ([]int, error) {
	if !p.next("(") {
		return nil, fmt.Errorf("'shape' before %.40q; want a tuple", p.text)
	}
	shape := []int{}
	for !p.next(")") {
		n := 0
		for n < len(p.text) && (p.text[n] >= '0' && p.text[n] <= '9' || p.text[n] == '-') {
			n++
		}
		d, err := strconv.Atoi(p.text[:n])
		if err != nil || len(shape) == mostDims {
			return nil, fmt.Errorf("'shape' at %.40q: want at most %d whole numbers", p.text, mostDims)
		}
		p.text = p.text[n:]
		shape = append(shape, d)
		p.next("L") // of Python 2
		p.next(",")
	}
	return shape, nil
}

var kinds = map[string]numbers.Kind{
	"b1": numbers.Bool, "i1": numbers.I8, "u1": numbers.U8, "i2": numbers.I16, "u2": numbers.U16, "i4": numbers.I32,
	"u4": numbers.U32, "i8": numbers.I64, "u8": numbers.U64, "f2": numbers.F16, "f4": numbers.F32, "f8": numbers.F64,
}

// layout finds how the elements lie in so many bytes, and checks that they are
// all there and nothing else is.
func (h *head) layout(bytes, limit int64) error {
	kind := strings.TrimLeft(h.descr, "<>|=")
	if kind == "O" {
		return errors.New("an array of Python objects, which only running code can read; save numbers: x.astype(\"float32\")")
	}
	h.wide = strings.HasPrefix(kind, "U")
	if h.kind = kinds[kind]; h.kind != numbers.None {
		h.size = h.kind.Size()
	} else if h.size = textSize(kind); h.size == 0 {
		return fmt.Errorf("numbers of type %.40q; save them as float32, x.astype(\"float32\"), or as whole numbers", h.descr)
	}
	var err error
	if h.count, err = numbers.Count(h.shape, h.size, bytes); err != nil {
		return err
	}
	if n := int64(h.count) * int64(h.size); n != bytes {
		return fmt.Errorf("%d bytes for shape %v of type %.40q, which takes %d; the file is broken", bytes, h.shape, h.descr, n)
	}
	if bytes > limit {
		return fmt.Errorf("an array of %d bytes; want at most %d", bytes, limit)
	}
	if h.kind == numbers.None && h.count > mostTexts {
		return fmt.Errorf("%d texts; want at most %d", h.count, mostTexts)
	}
	if h.fortran && len(h.shape) > 2 {
		return fmt.Errorf("shape %v in Fortran's order; save it with numpy.ascontiguousarray", h.shape)
	}
	return nil
}

// array gives bytes that fit the layout their meaning.
func (h head) array(body []byte) *numbers.Array {
	a := &numbers.Array{Kind: h.kind, Order: binary.LittleEndian, Shape: h.shape}
	if h.descr[0] == '>' {
		a.Order = binary.BigEndian
	}
	if h.fortran && len(h.shape) == 2 {
		body = rowMajor(body, h.shape, h.size)
	}
	if h.kind == numbers.None {
		a.Texts = texts(body, h.wide, h.size, h.count, a.Order)
	} else {
		a.Data = body
	}
	return a
}

// textSize is the bytes of a text of type S5 or U5, 0 if it is no such type.
func textSize(kind string) int {
	if len(kind) < 2 || kind[0] != 'S' && kind[0] != 'U' {
		return 0
	}
	n, err := strconv.ParseUint(kind[1:], 10, 16)
	if err != nil || kind[1] == '+' {
		return 0
	}
	if kind[0] == 'U' {
		n *= 4
	}
	return int(n)
}

// texts cuts texts out of bytes. Zeros at their ends are no part of them.
func texts(body []byte, wide bool, size, n int, order binary.ByteOrder) []string {
	all := make([]string, n)
	for i := range all {
		b := body[i*size : (i+1)*size]
		if wide {
			var s []byte
			for ; len(b) > 0; b = b[4:] {
				s = utf8.AppendRune(s, rune(order.Uint32(b)))
			}
			b = s
		}
		all[i] = string(bytes.TrimRight(b, "\x00"))
	}
	return all
}

// rowMajor reorders an array of two dimensions that stands column by column.
func rowMajor(body []byte, shape []int, size int) []byte {
	out := make([]byte, 0, len(body))
	rows, columns := shape[0], shape[1]
	for i := range rows {
		for j := range columns {
			at := (j*rows + i) * size
			out = append(out, body[at:at+size]...)
		}
	}
	return out
}

// Float32s is a file of numbers of a shape.
func Float32s(x []float32, shape ...int) []byte {
	b := begin("<f4", shape)
	for _, v := range x {
		b, _ = binary.Append(b, binary.LittleEndian, v)
	}
	return b
}

// Int64s is a file of one row of whole numbers.
func Int64s(x []int64) []byte {
	b := begin("<i8", []int{len(x)})
	for _, v := range x {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return b
}

// Texts is a file of one row of texts.
func Texts(x []string) []byte {
	width := 1
	for _, s := range x {
		width = max(width, utf8.RuneCountInString(s))
	}
	b := begin(fmt.Sprintf("<U%d", width), []int{len(x)})
	for _, s := range x {
		runes := []rune(s)
		for i := range width {
			r := rune(0)
			if i < len(runes) {
				r = runes[i]
			}
			b = binary.LittleEndian.AppendUint32(b, uint32(r))
		}
	}
	return b
}

// begin is a header of version 1, padded so that the numbers are aligned.
func begin(descr string, shape []int) []byte {
	dims := ""
	for _, d := range shape {
		dims += fmt.Sprintf("%d, ", d)
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, strings.TrimSuffix(dims, " "))
	text += strings.Repeat(" ", 63-(len(text)+10)%64) + "\n"
	b := append([]byte(magic), 1, 0)
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(text))), text...)
}
