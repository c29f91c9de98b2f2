package numbers

import (
	"encoding/binary"
	"math"
	"testing"
)

func TestKinds(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	for _, c := range []struct {
		kind    Kind
		bits    uint64
		integer int64
		float   float64
	}{
		{Bool, 1, 1, 1}, {I8, 0xff, -1, -1}, {U8, 0xff, 255, 255}, {I16, 0xfffe, -2, -2}, {U16, 0xfffe, 65534, 65534},
		{I32, 0xfffffffd, -3, -3}, {U32, 0xfffffffd, 4294967293, 4294967293}, {I64, math.MaxUint64, -1, -1},
		{U64, 1 << 63, math.MinInt64, 1 << 63}, {F16, 0x3c00, 0, 1}, {F16, 0xc100, 0, -2.5}, {F16, 1, 0, 1.0 / (1 << 24)},
		{F16, 0x7c00, 0, math.Inf(1)}, {BF16, 0xbf80, 0, -1}, {F32, uint64(math.Float32bits(1.5)), 0, 1.5}, {F64, math.Float64bits(-0.1), 0, -0.1},
	} {
		little := le.AppendUint64(nil, c.bits)[:c.kind.Size()]
		big := be.AppendUint64(nil, c.bits)[8-c.kind.Size():]
		for order, b := range map[binary.ByteOrder][]byte{le: little, be: big} {
			if got := c.kind.Int64(b, order); got != c.integer {
				t.Errorf("%s %x %v: %d, want %d", c.kind, c.bits, order, got, c.integer)
			}
			if got := c.kind.Float64(b, order); got != c.float {
				t.Errorf("%s %x %v: %g, want %g", c.kind, c.bits, order, got, c.float)
			}
		}
		if c.kind.Float() == c.kind.Integer() {
			t.Errorf("%s is both or neither", c.kind)
		}
	}
}
