package chestlib

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/chestlab/chest/internal/safetensors"
)

// points is items of three numbers in two classes.
type points [][3]float32

func (p points) Len() int                        { return len(p) }
func (p points) Shape() (c, h, w int)            { return 3, 1, 1 }
func (p points) Label(i int) int                 { return i % 2 }
func (p points) Item(dst []float32, i int) error { copy(dst, p[i][:]); return nil }

func trained(t *testing.T) (*Model, *Trainer, points) {
	t.Helper()
	src := points{{1, 2, 3}, {0, 1, 0}, {1, 2, 2}, {0, 1, 1}}
	m, err := NewModel(src, ModelOptions{Width: 4, Depth: 1, DE: 3, DH: 2})
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(m, src, TrainOptions{Epochs: 1, Silent: true, Loss: LossOptions{E: SoftTripleOptions{Proxies: 2}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	return m, tr, src
}

func TestSave(t *testing.T) {
	m, tr, src := trained(t)
	e, err := Embed(context.Background(), m, src)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "e.safetensors")
	if err := SaveEmbedding(path, e); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	E, _ := f.Float32("E")
	H, _ := f.Float32("H")
	label, _ := f.Int64("label")
	if !reflect.DeepEqual(E, e.E) || !reflect.DeepEqual(H, e.H) || !reflect.DeepEqual(label, []int64{0, 1, 0, 1}) {
		t.Errorf("E %v, H %v, label %v", E, H, label)
	}
	if err := SaveProxies(filepath.Join(dir, "p.npy"), tr); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "p.proxies.H.npy"))
	if err != nil {
		t.Fatal(err)
	}
	header, rest := data[:128], data[128:]
	want := "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2), }"
	if !bytes.HasPrefix(header, []byte("\x93NUMPY\x01\x00\x76\x00"+want)) || header[127] != '\n' {
		t.Errorf("header %q", header)
	}
	got := make([]float32, 8)
	if err := binary.Read(bytes.NewReader(rest), binary.LittleEndian, got); err != nil || len(rest) != 32 || !reflect.DeepEqual(got, tr.Loss.Params()[1].Value) {
		t.Errorf("%v, %v", got, err)
	}
	if err := SaveEmbedding(filepath.Join(dir, "e.npy"), e); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "e.label.npy")); err != nil || !strings.Contains(string(data[:128]), "'<i8', 'fortran_order': False, 'shape': (4,), }") || len(data) != 128+32 {
		t.Errorf("%q, %v", data, err)
	}
	if err := SaveEmbedding(filepath.Join(dir, "e.csv"), e); err == nil || !strings.Contains(err.Error(), ".safetensors or .npy") {
		t.Error(err)
	}
	path = filepath.Join(dir, "m.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	if again, err := LoadModel(path); err != nil || again.String() != m.String() {
		t.Error(again, err)
	}
}
