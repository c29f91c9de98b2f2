package viz

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/chestlab/chest/kernel/display"
)

func TestMessage(t *testing.T) {
	b := small().MIMEBundle()
	h, still := b["text/html"].(string), b["image/png"].([]byte)
	if n := strings.Count(h, "<script>"); n != 1 || strings.Count(strings.ToLower(h), "</script") != 1 || !strings.HasSuffix(h, "</script>") {
		t.Errorf("%d scripts, or text after the script", n)
	}
	for _, bad := range []string{"<!--", "\u2028", "<b onload"} {
		if strings.Contains(h, bad) {
			t.Errorf("the HTML holds %q", bad)
		}
	}
	id := regexp.MustCompile(`<div id="([^"]+)"`).FindStringSubmatch(h)
	src := regexp.MustCompile(`src="data:image/png;base64,([^"]+)"`).FindStringSubmatch(h)
	if id == nil || src == nil || !strings.Contains(h, `id="`+id[1]+`",key=""`) {
		t.Fatalf("no element, no picture or another id in the script: %.300s", h)
	}
	if inside, err := base64.StdEncoding.DecodeString(src[1]); err != nil || !bytes.Equal(inside, still) {
		t.Errorf("the picture in the HTML is not the picture: %v", err)
	}
	if b["text/plain"] != small().Alt() || strings.Contains(small().Alt(), "\n") {
		t.Errorf("text %q", b["text/plain"])
	}
	if again := small().MIMEBundle()["text/html"].(string); strings.Contains(again, id[1]+`"`) {
		t.Error("two outputs share an id")
	}
}

// broken draws but has no option.
type broken struct{ *DiskFigure }

func (broken) Option() ([]byte, error) { return nil, errors.New("no option <b>") }

func TestMessageKeepsPicture(t *testing.T) {
	b := message(broken{small()})
	h := b["text/html"].(string)
	if !strings.HasPrefix(h, "<img") || !strings.HasSuffix(h, "<p>no option &lt;b&gt;</p>") || strings.Contains(h, "<script") || b["image/png"] == nil {
		t.Errorf("got %.80s … %s", h, h[len(h)-60:])
	}
}

func TestInline(t *testing.T) {
	b := Inline()
	h := b[display.MIMEHTML].(string)
	if len(h) < 1e6 || strings.Count(strings.ToLower(h), "</script") != 1 {
		t.Errorf("%d bytes, %d ends of scripts", len(h), strings.Count(h, "</script"))
	}
}

func TestECharts(t *testing.T) {
	bar := charts.NewBar()
	bar.SetGlobalOptions(charts.WithTitleOpts(opts.Title{Title: hostile}), charts.WithInitializationOpts(opts.Initialization{Width: "500px", Height: "3px;x"}))
	bar.SetXAxis([]string{"a"}).AddSeries("s", []opts.BarData{{Value: 2}})
	b := ECharts(bar).MIMEBundle()
	h := b["text/html"].(string)
	if strings.Count(h, "</script") != 1 || strings.Contains(h, "<b onload") || !strings.Contains(h, `style="width:500px;height:420px"`) {
		t.Errorf("got %.300s", h)
	}
	if b["text/plain"] != "Chart: "+hostile {
		t.Errorf("text %q", b["text/plain"])
	}
}

func TestEChartsNamesTheRow(t *testing.T) {
	line := charts.NewLine()
	line.AddSeries("fine", []opts.LineData{{Value: 1}})
	line.AddSeries("loss", []opts.LineData{{Value: 1}, {Value: []any{2, math.NaN()}}})
	_, err := ECharts(line).Option()
	if err == nil || !strings.Contains(err.Error(), `series "loss" row 1`) || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("error %v", err)
	}
	var unsupported *json.UnsupportedValueError
	if !errors.As(err, &unsupported) {
		t.Error("the cause is lost")
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestPaletted(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	few, many := image.NewRGBA(image.Rect(0, 0, 64, 64)), image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := 0; i < len(few.Pix); i += 4 {
		c := okabe[rng.IntN(8)]
		copy(few.Pix[i:], []uint8{c.R, c.G, c.B, 0xff})
		c = mix(c, color.RGBA{0xff, 0xff, 0xff, 0xff}, rng.Float64())
		copy(many.Pix[i:], []uint8{c.R, c.G, c.B, 0xff})
	}
	if p := paletted(few); len(p.Palette) != 8 || worst(few, p) != 0 {
		t.Errorf("8 colours became %d, off by %d", len(p.Palette), worst(few, p))
	}
	if p := paletted(many); len(p.Palette) > 256 || worst(many, p) > 24 {
		t.Errorf("%d colours, off by %d", len(p.Palette), worst(many, p))
	}
}

// worst is the largest difference of a channel.
func worst(a *image.RGBA, b *image.Paletted) (most int) {
	for i := range b.Pix {
		c := b.Palette[b.Pix[i]].(color.RGBA)
		for k, v := range []uint8{c.R, c.G, c.B} {
			most = max(most, int(v)-int(a.Pix[4*i+k]), int(a.Pix[4*i+k])-int(v))
		}
	}
	return most
}
