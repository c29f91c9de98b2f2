package torchfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/chestlab/chest/internal/numbers"
)

// What a pickle may build. A list and a dict are pointers: the pickle goes on
// filling them after it has put them elsewhere.
type (
	global  struct{ module, name string }
	tuple   []any
	list    struct{ items []any }
	dict    struct{ keys, values []any }
	mark    struct{}
	storage struct {
		kind numbers.Kind
		key  string
		size int64 // elements
	}
	tensor struct {
		storage        storage
		offset         int64
		shape, strides []int
	}
)

// allowed are all globals that a pickle may name. None of them is code here:
// they are signs for the few things that reduce makes.
var allowed = map[global]bool{
	{"torch._utils", "_rebuild_tensor_v2"}: true,
	{"torch._utils", "_rebuild_parameter"}: true,
	{"collections", "OrderedDict"}:         true,
}

// storages are the kinds of numbers of PyTorch's storages.
var storages = map[string]numbers.Kind{
	"FloatStorage": numbers.F32, "DoubleStorage": numbers.F64, "HalfStorage": numbers.F16, "BFloat16Storage": numbers.BF16,
	"LongStorage": numbers.I64, "IntStorage": numbers.I32, "ShortStorage": numbers.I16, "CharStorage": numbers.I8,
	"ByteStorage": numbers.U8, "BoolStorage": numbers.Bool,
}

// machine runs a pickle of tensors. Each operation takes bytes of the pickle and
// makes at most one value, so memory is bounded by the size of the pickle.
type machine struct {
	code  []byte
	at    int
	stack []any
	memo  map[uint32]any
}

// errShort says that the pickle ends in the middle of an operation.
var errShort = errors.New("it ends early; the file is cut short or broken")

// unpickle is the object that a pickle builds.
func unpickle(code []byte) (any, error) {
	m := &machine{code: code, memo: map[uint32]any{}}
	for {
		at := m.at
		op, err := m.take(1)
		if err == nil && op[0] == '.' {
			return m.pop()
		}
		if err == nil {
			err = m.do(op[0])
		}
		if err != nil {
			return nil, fmt.Errorf("byte %d: %w", at, err)
		}
	}
}

// take is the next n bytes.
func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.code)-m.at) {
		return nil, errShort
	}
	b := m.code[m.at : m.at+int(n)]
	m.at += int(n)
	return b, nil
}

// uint is the next n bytes as a number, the lowest first.
func (m *machine) uint(n uint64) (uint64, error) {
	b, err := m.take(n)
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), err
}

// line is the bytes before the next line end.
func (m *machine) line() (string, error) {
	s, _, ok := strings.Cut(string(m.code[m.at:min(len(m.code), m.at+200)]), "\n")
	if !ok {
		return "", errShort
	}
	m.at += len(s) + 1
	return s, nil
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

func (m *machine) pop() (any, error) {
	n := len(m.stack) - 1
	if n < 0 {
		return nil, errors.New("nothing is on the stack; the pickle is broken")
	}
	v := m.stack[n]
	m.stack = m.stack[:n]
	if v == (mark{}) {
		return nil, errors.New("a mark where a value should be; the pickle is broken")
	}
	return v, nil
}

// popMark is what lies above the last mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			items := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, errors.New("no mark on the stack; the pickle is broken")
}

// do runs one operation. Operations that tensors never need are refused.
func (m *machine) do(op byte) error {
	switch op {
	case 0x80: // protocol
		v, err := m.uint(1)
		if err == nil && (v < 2 || v > 5) {
			err = fmt.Errorf("pickle protocol %d; want 2 to 5", v)
		}
		return err
	case 0x95: // frame: its length is not needed
		_, err := m.take(8)
		return err
	case '(':
		m.push(mark{})
	case 'N':
		m.push(nil)
	case 0x88, 0x89:
		m.push(op == 0x88)
	case ')':
		m.push(tuple{})
	case ']':
		m.push(&list{})
	case '}':
		m.push(&dict{})
	case 'K', 'M', 'J', 0x8a, 'G', 'X', 0x8c, 0x8d:
		return m.literal(op)
	case 't', 0x85, 0x86, 0x87:
		return m.tuple(op)
	case 'q', 'r', 0x94, 'h', 'j':
		return m.memory(op)
	case 'a', 'e', 's', 'u':
		return m.fill(op)
	case 'c', 0x93:
		return m.global(op)
	case 'Q':
		return m.persistent()
	case 'R':
		return m.reduce()
	case 'b': // a state, such as _metadata of a state dict: not needed
		_, err := m.pop()
		return err
	default:
		return fmt.Errorf("operation %#02x, which no tensor needs; the file is broken, or save tensors alone: torch.save({\"features\": x, \"labels\": y}, …)", op)
	}
	return nil
}

// literal pushes a number or a text.
func (m *machine) literal(op byte) error {
	width := map[byte]uint64{'K': 1, 'M': 2, 'J': 4, 0x8a: 1, 'G': 8, 'X': 4, 0x8c: 1, 0x8d: 8}[op]
	v, err := m.uint(width)
	if err != nil {
		return err
	}
	switch op {
	case 'K', 'M':
		m.push(int64(v))
	case 'J':
		m.push(int64(int32(v)))
	case 'G': // the highest byte first
		m.push(math.Float64frombits(binary.BigEndian.Uint64(m.code[m.at-8:])))
	case 0x8a: // v bytes of a whole number in two's complement
		if v > 8 {
			return fmt.Errorf("a whole number of %d bytes; want at most 8", v)
		}
		n, err := m.uint(v)
		if err != nil {
			return err
		}
		shift := 64 - 8*v
		m.push(int64(n<<shift) >> shift)
	default:
		b, err := m.take(v)
		if err != nil {
			return err
		}
		m.push(string(b))
	}
	return nil
}

// tuple pushes a tuple of what lies above the mark, or of one to three values.
func (m *machine) tuple(op byte) error {
	if op == 't' {
		items, err := m.popMark()
		m.push(tuple(items))
		return err
	}
	t := make(tuple, op-0x84)
	for i := len(t) - 1; i >= 0; i-- {
		var err error
		if t[i], err = m.pop(); err != nil {
			return err
		}
	}
	m.push(t)
	return nil
}

// memory remembers the value on top, or pushes one that was remembered.
func (m *machine) memory(op byte) error {
	key := uint64(len(m.memo))
	if op != 0x94 {
		var err error
		if key, err = m.uint(map[byte]uint64{'q': 1, 'r': 4, 'h': 1, 'j': 4}[op]); err != nil {
			return err
		}
	}
	if op == 'h' || op == 'j' {
		v, ok := m.memo[uint32(key)]
		if !ok {
			return fmt.Errorf("nothing was remembered as %d; the pickle is broken", key)
		}
		m.push(v)
		return nil
	}
	v, err := m.pop()
	if err != nil {
		return err
	}
	m.push(v)
	m.memo[uint32(key)] = v
	return nil
}

// fill appends to a list or a dict.
func (m *machine) fill(op byte) (err error) {
	var items []any
	switch op {
	case 'e', 'u':
		items, err = m.popMark()
	case 'a':
		items = make([]any, 1)
		items[0], err = m.pop()
	case 's':
		items = make([]any, 2)
		if items[1], err = m.pop(); err == nil {
			items[0], err = m.pop()
		}
	}
	if err != nil {
		return err
	}
	to, err := m.pop()
	if err != nil {
		return err
	}
	m.push(to)
	switch to := to.(type) {
	case *list:
		if op == 'a' || op == 'e' {
			to.items = append(to.items, items...)
			return nil
		}
	case *dict:
		if (op == 's' || op == 'u') && len(items)%2 == 0 {
			for i := 0; i < len(items); i += 2 {
				to.keys, to.values = append(to.keys, items[i]), append(to.values, items[i+1])
			}
			return nil
		}
	}
	return errors.New("a list or a dict where there is none; the pickle is broken")
}

// global pushes a sign for something that tensors are made of.
func (m *machine) global(op byte) error {
	var g global
	if op == 'c' {
		var err error
		if g.module, err = m.line(); err == nil {
			g.name, err = m.line()
		}
		if err != nil {
			return err
		}
	} else {
		name, _ := m.pop()
		module, _ := m.pop()
		var ok, both bool
		if g.name, ok = name.(string); ok {
			g.module, both = module.(string)
		}
		if !both {
			return errors.New("a global without a name; the pickle is broken")
		}
	}
	if _, ok := storages[g.name]; !allowed[g] && !(ok && g.module == "torch") {
		return fmt.Errorf("the file asks for %.80q of the Python module %.80q: only tensors of known kinds are read, nothing is ever run; save tensors alone: torch.save({\"features\": x, \"labels\": y}, …)", g.name, g.module)
	}
	m.push(g)
	return nil
}

// persistent pushes a storage: ('storage', kind, key, device, elements).
func (m *machine) persistent() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	t, _ := v.(tuple)
	if len(t) < 5 || t[0] != any("storage") {
		return errors.New("a reference to something that is no storage; the pickle is broken")
	}
	g, ok1 := t[1].(global)
	key, ok2 := t[2].(string)
	size, ok3 := t[4].(int64)
	kind := storages[g.name]
	if !ok1 || !ok2 || !ok3 || g.module != "torch" || kind == numbers.None || size < 0 {
		return errors.New("a storage that is not described as one; the pickle is broken")
	}
	m.push(storage{kind, key, size})
	return nil
}

// reduce makes what a global and its arguments stand for.
func (m *machine) reduce() error {
	args, err := m.pop()
	if err != nil {
		return err
	}
	f, err := m.pop()
	if err != nil {
		return err
	}
	g, _ := f.(global)
	t, ok := args.(tuple)
	switch {
	case !ok || !allowed[g]:
		return errors.New("a call of something that makes no tensor; the pickle is broken")
	case g.name == "OrderedDict" && len(t) == 0:
		m.push(&dict{})
		return nil
	case g.name == "_rebuild_parameter" && len(t) > 0:
		if x, ok := t[0].(*tensor); ok {
			m.push(x)
			return nil
		}
	case g.name == "_rebuild_tensor_v2" && len(t) >= 4:
		if x := rebuilt(t); x != nil {
			m.push(x)
			return nil
		}
	}
	return fmt.Errorf("%s with arguments that do not fit; the pickle is broken", g.name)
}

// rebuilt is a tensor of its storage, offset, shape and strides, nil if they are
// none.
func rebuilt(t tuple) *tensor {
	s, ok := t[0].(storage)
	offset, ok1 := t[1].(int64)
	shape, ok2 := wholes(t[2])
	strides, ok3 := wholes(t[3])
	if !ok || !ok1 || !ok2 || !ok3 || offset < 0 || len(shape) != len(strides) {
		return nil
	}
	return &tensor{s, offset, shape, strides}
}

// mostDims is the most dimensions of a tensor, far above any that is used.
const mostDims = 32

// wholes are the numbers of a tuple.
func wholes(v any) ([]int, bool) {
	t, ok := v.(tuple)
	if !ok || len(t) > mostDims {
		return nil, false
	}
	n := make([]int, len(t))
	for i, x := range t {
		d, ok := x.(int64)
		if !ok || d < 0 || d > math.MaxInt32 {
			return nil, false
		}
		n[i] = int(d)
	}
	return n, true
}
