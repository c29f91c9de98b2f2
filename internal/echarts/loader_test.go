package echarts

import (
	"encoding/json"
	"strings"
	"testing"
)

// hostile has everything that could end a script element, a string or a line.
const hostile = "</script><b> <!-- \" \\ ' \u2028\u2029 é $ID $OPTION"

func TestLoaderIsSafe(t *testing.T) {
	option := []byte(`{"a":"</script><!-- ` + "\u2028" + `"}`)
	if !json.Valid(option) {
		t.Fatal("the test's own option is not JSON")
	}
	got := Loader(hostile, hostile, option)
	for _, bad := range []string{"</", "<!--", "\u2028", "\u2029"} {
		if strings.Contains(got, bad) {
			t.Errorf("the script holds %q", bad)
		}
	}
	for _, want := range []string{`<\/script`, `\u003c/script\u003e`, `{"a":"\u003c/script\u003e\u003c!-- \u2028"}`, "kernelspecs/chest/", FileName} {
		if has := strings.Contains(got, want); has == (want[0] == '<') {
			t.Errorf("holds %q: %v", want, has)
		}
	}
	if n := strings.Count(got, `$ID $OPTION`); n != 2 {
		t.Errorf("a name in the id was replaced: %d of 2 left", n)
	}
}

func TestDiskLoaderIsSafe(t *testing.T) {
	got := DiskLoader(hostile, []byte(`{"a":"</script>"}`))
	for _, bad := range []string{"</", "<!--", "$"} {
		if strings.Contains(strings.ReplaceAll(got, "$ID $OPTION", ""), bad) {
			t.Errorf("the script holds %q", bad)
		}
	}
	if !strings.Contains(got, "function move(a,z)") || strings.Contains(Loader("a", "", []byte("{}")), "function move") {
		t.Error("the script of the disk is missing, or where it does not belong")
	}
}

func TestInlineScriptIsSafe(t *testing.T) {
	got := InlineScript()
	for _, bad := range []string{"</script", "<!--"} {
		if strings.Contains(strings.ToLower(got), bad) {
			t.Errorf("the script holds %q", bad)
		}
	}
	if len(got) < len(Library) || !strings.Contains(got, "define,exports,module") {
		t.Errorf("the script has %d bytes, the library %d", len(got), len(Library))
	}
}

func TestClosed(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing", `a<b/c`, `a<b/c`},
		{"end tag", `x="</script>"`, `x="<\/script>"`},
		{"upper case", `x="</SCRIPT>"`, `x="<\/SCRIPT>"`},
		{"comment", `x="<!--"`, `x="<\!--"`},
	} {
		if got := closed(c.in); got != c.want {
			t.Errorf("%s: closed(%q) = %q, want %q", c.name, c.in, got, c.want)
		}
	}
}
