package wire

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func signer(t testing.TB, key string) Signer {
	t.Helper()
	s, err := NewSigner(key, schemeSHA256)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSignatureIsJupyters compares with a signature made by Python's hmac:
//
//	hmac.new(b"key", b'{"a":1}{}{}{"code":"x"}', "sha256").hexdigest()
func TestSignatureIsJupyters(t *testing.T) {
	frames := [][]byte{[]byte(`{"a":1}`), []byte(`{}`), []byte(`{}`), []byte(`{"code":"x"}`)}
	const want = "a5aaacf20fe2368de7cecf9f9c9894a75358cb8420fc39c7b1e5717154ec2743"
	if got := hexOf(signer(t, "key").sign(frames)); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

func TestEncodeDecode(t *testing.T) {
	for _, key := range []string{"", "secret"} {
		s := signer(t, key)
		m := Message{
			IDs:    [][]byte{[]byte("who"), {}},
			Header: NewHeader("session", "me", "execute_request"), Parent: NewHeader("s2", "you", "x"),
			Metadata: map[string]any{"a": "b"}, Content: json.RawMessage(`{"code":"1 < 2 & \"é\""}`),
			Buffers: [][]byte{{0, 1, 255}, {}},
		}
		frames, err := s.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Decode(frames)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("key %q: got %+v, %v\nwant %+v", key, got, err, m)
		}
	}
}

func TestEncodeEmptyParts(t *testing.T) {
	frames, err := signer(t, "k").Encode(Message{Header: NewHeader("s", "", "status")})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"parent", "metadata", "content"} {
		if got := string(frames[3+i]); got != "{}" {
			t.Errorf("%s is %s, want {}", want, got)
		}
	}
	var header map[string]any
	if err := json.Unmarshal(frames[2], &header); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"msg_id", "session", "username", "date", "msg_type", "version"} {
		if _, ok := header[k]; !ok {
			t.Errorf("header has no %s: %s", k, frames[2])
		}
	}
	date, _ := header["date"].(string)
	if d, err := time.Parse(time.RFC3339Nano, date); err != nil || d.Location() != time.UTC || time.Since(d).Abs() > time.Minute {
		t.Errorf("date %q is not now in UTC: %v", date, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	s := signer(t, "secret")
	good := func() [][]byte {
		frames, err := s.Encode(Message{IDs: [][]byte{[]byte("id")}, Header: NewHeader("s", "u", "execute_request")})
		if err != nil {
			t.Fatal(err)
		}
		return frames
	}
	signed := func(header, parent, metadata, content string) [][]byte {
		parts := [][]byte{[]byte(header), []byte(parent), []byte(metadata), []byte(content)}
		return append([][]byte{delimiter, []byte(hexOf(s.sign(parts)))}, parts...)
	}
	const head = `{"msg_id":"1","msg_type":"x"}`
	cases := []struct {
		name   string
		frames [][]byte
		want   string
	}{
		{"nothing", nil, "no <IDS|MSG>"},
		{"no delimiter", [][]byte{[]byte("a"), []byte("b")}, "no <IDS|MSG>"},
		{"only a delimiter", [][]byte{delimiter}, "want at least 5"},
		{"no content", good()[:6], "want at least 5"},
		{"unsigned", edit(good(), 2, ""), "signature"},
		{"signature not hexadecimal", edit(good(), 2, "zz"), "signature"},
		{"half a signature", edit(good(), 2, string(good()[2][:32])), "signature"},
		{"other header", edit(good(), 3, head), "signature"},
		{"other content", edit(good(), 6, `{"code":"evil"}`), "signature"},
		{"header is no JSON", signed("{", "{}", "{}", "{}"), "header"},
		{"header is a list", signed("[]", "{}", "{}", "{}"), "header"},
		{"header is empty", signed("{}", "{}", "{}", "{}"), "without msg_id"},
		{"parent is a number", signed(head, "3", "{}", "{}"), "parent"},
		{"metadata is text", signed(head, "{}", `"x"`, "{}"), "metadata"},
		{"content is cut", signed(head, "{}", "{}", `{"a":`), "content"},
	}
	for _, c := range cases {
		_, err := s.Decode(c.frames)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.want)
		}
		if forged := c.want == "signature"; errors.Is(err, ErrSignature) != forged {
			t.Errorf("%s: errors.Is(%v, ErrSignature) is %v", c.name, err, !forged)
		}
	}
	if _, err := s.Decode(signed(head, "{}", "null", "{}")); err != nil {
		t.Errorf("null metadata: %v", err)
	}
}

func edit(frames [][]byte, i int, s string) [][]byte {
	frames[i] = []byte(s)
	return frames
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, x := range b {
		s.WriteByte(digits[x>>4])
		s.WriteByte(digits[x&15])
	}
	return s.String()
}

func TestHistoryForgetsTheOldest(t *testing.T) {
	var h history
	signature := func(i int) []byte {
		s := make([]byte, 32)
		s[0], s[1], s[2] = byte(i), byte(i>>8), byte(i>>16)
		return s
	}
	for i := range historySize + 10 {
		if h.repeated(signature(i)) {
			t.Fatalf("signature %d is new", i)
		}
	}
	if !h.repeated(signature(11)) || !h.repeated(signature(historySize+9)) {
		t.Error("a signature among the last ones was forgotten")
	}
	if h.repeated(signature(3)) {
		t.Error("an old signature was kept")
	}
	if len(h.seen) != historySize || len(h.ring) != historySize {
		t.Errorf("%d and %d remembered, want %d", len(h.seen), len(h.ring), historySize)
	}
}

func TestContents(t *testing.T) {
	cases := []struct {
		name    string
		content any
		want    string
	}{
		{"nil", nil, `{}`},
		{"ok", ExecuteReply{Status: StatusOK, ExecutionCount: 3}, `{"status":"ok","execution_count":3,"payload":[],"user_expressions":{}}`},
		{"error", ExecuteReply{Status: StatusError, EName: "E"}, `{"status":"error","execution_count":0,"ename":"E","evalue":"","traceback":[]}`},
		{"bytes are base64", DisplayData{Data: map[string]any{"image/png": []byte{1, 2, 3}, "text/html": "<b>"}}, `{"data":{"image/png":"AQID","text/html":"<b>"},"metadata":{},"transient":{}}`},
		{"display id", DisplayData{Transient: Transient{"d"}}, `{"data":{},"metadata":{},"transient":{"display_id":"d"}}`},
		{"result", ExecuteResult{ExecutionCount: 1}, `{"execution_count":1,"data":{},"metadata":{},"transient":{}}`},
		{"iopub error", Error{EName: "E", EValue: "v"}, `{"ename":"E","evalue":"v","traceback":[]}`},
		{"error reply", ErrorReply{EName: "E"}, `{"status":"error","ename":"E","evalue":"","traceback":[]}`},
		{"no match", CompleteReply{Status: StatusOK}, `{"status":"ok","matches":[],"cursor_start":0,"cursor_end":0,"metadata":{}}`},
		{"not found", InspectReply{Status: StatusOK}, `{"status":"ok","found":false,"data":{},"metadata":{}}`},
		{"no history", HistoryReply{Status: StatusOK}, `{"status":"ok","history":[]}`},
		{"no comms", CommInfoReply{Status: StatusOK}, `{"status":"ok","comms":{}}`},
		{"not utf-8", Stream{"stdout", "a\xffb"}, `{"name":"stdout","text":"a\ufffdb"}`},
	}
	for _, c := range cases {
		got, err := contentJSON("x", c.content)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, %v\nwant %s", c.name, got, err, c.want)
		}
	}
	for name, bad := range map[string]any{"NaN": DisplayData{Data: map[string]any{"application/json": math.NaN()}}, "list": []int{1}} {
		if got, err := contentJSON("x", bad); err == nil {
			t.Errorf("%s gave %s and no error", name, got)
		}
	}
}

func TestExecuteRequestDefaults(t *testing.T) {
	cases := []struct {
		in          string
		store, stop bool
	}{
		{`{"code":"x"}`, true, true},
		{`{"code":"x","silent":true}`, false, true},
		{`{"code":"x","silent":true,"store_history":true}`, false, true},
		{`{"code":"x","store_history":false,"stop_on_error":false}`, false, false},
	}
	for _, c := range cases {
		var r ExecuteRequest
		if err := json.Unmarshal([]byte(c.in), &r); err != nil || r.Code != "x" || r.StoreHistory != c.store || r.StopOnError != c.stop {
			t.Errorf("%s: got %+v, %v", c.in, r, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	s := signer(f, "")
	frames, err := s.Encode(Message{IDs: [][]byte{[]byte("id")}, Header: NewHeader("s", "u", "execute_request"), Buffers: [][]byte{{1}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(join(frames))
	f.Add(join(frames[:4]))
	f.Add([]byte("\x00<IDS|MSG>\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := split(data)
		m, err := s.Decode(in) // must not panic
		if _, e := signer(t, "key").Decode(in); e == nil {
			t.Error("accepted without the key")
		}
		if err != nil {
			return
		}
		again, err := s.Encode(m)
		if err != nil {
			t.Fatalf("decoded, but cannot be encoded: %v", err)
		}
		if back, err := s.Decode(again); err != nil || back.Header != m.Header || back.Parent != m.Parent {
			t.Fatalf("round trip: %+v, %v; want %+v", back, err, m)
		}
	})
}

// join and split write frames as one byte string, with 0xfe between them.
func join(frames [][]byte) []byte {
	var b []byte
	for i, f := range frames {
		if i > 0 {
			b = append(b, 0xfe)
		}
		b = append(b, f...)
	}
	return b
}

func split(data []byte) [][]byte {
	var frames [][]byte
	for _, s := range strings.Split(string(data), "\xfe") {
		frames = append(frames, []byte(s))
	}
	return frames
}
