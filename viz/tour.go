package viz

import (
	"encoding/json"
	"fmt"

	"gonum.org/v1/plot/text"

	"github.com/chestlab/chest/internal/echarts"
	"github.com/chestlab/chest/kernel/display"
)

// Stop is where the points of a tour are at one time.
type Stop struct {
	Name    string    // "epoch 10"; "" means "stop 1", "stop 2" and so on
	XY      []float64 // n×2, row-major, points of the unit disk
	Proxies []float64 // m×2 as in DiskOptions; nil means none
}

// TourFigure is a picture of points that move on the Poincaré disk.
type TourFigure struct {
	forms
	title string
	names []string
	disks []*DiskFigure
}

// Tour draws the same points of the disk at several times, such as the epochs
// of a training. The interactive form has a slider, on which points move from
// one stop to the next; the still picture shows the first stop and the last,
// side by side. For what moves to be training and not the projection, project
// all stops in the same way.
//
// label and o are as for Disk, but Proxies, Inner, Clipped and Thumbs of o are
// not read, and points that were clipped have no circles. Errors are those of
// Disk with the name of the stop. All stops travel with the picture, some 20
// bytes a point and stop. Tour panics if there are fewer than two stops, if they
// differ in the number of points or proxies, and as Disk does.
func Tour(stops []Stop, label []int, o DiskOptions) *TourFigure {
	if len(stops) < 2 {
		panic(fmt.Sprintf("viz: tour: %d stops, want two or more", len(stops)))
	}
	o.Inner, o.Clipped, o.Thumbs = nil, nil, nil
	f := &TourFigure{title: o.Title}
	f.forms = forms{f}
	for i, s := range stops {
		if len(s.XY) != len(stops[0].XY) || len(s.Proxies) != len(stops[0].Proxies) {
			panic(fmt.Sprintf("viz: tour: stop %d has %d numbers for points and %d for proxies, the first has %d and %d",
				i, len(s.XY), len(s.Proxies), len(stops[0].XY), len(stops[0].Proxies)))
		}
		if s.Name == "" {
			s.Name = fmt.Sprintf("stop %d", i+1)
		}
		o.Proxies = s.Proxies
		d := Disk(s.XY, label, o)
		d.clipped = nil // their number differs from stop to stop
		f.names, f.disks = append(f.names, s.Name), append(f.disks, d)
	}
	return f
}

// fault returns the first error of a stop.
func (f *TourFigure) fault() error {
	for i, d := range f.disks {
		if d.bad != nil {
			return fmt.Errorf("%w (%s)", d.bad, f.names[i])
		}
	}
	return nil
}

// Alt says in one line what the picture shows.
func (f *TourFigure) Alt() string {
	return join("; ", "Tour from "+f.names[0]+" to "+f.names[len(f.names)-1], count(len(f.names), "stop"), f.disks[0].Alt())
}

// Option is the picture as an ECharts option with a timeline: the whole chart
// of the first stop, and what moves of each. A row that is not in the disk is an
// error that names its stop.
func (f *TourFigure) Option() ([]byte, error) {
	if err := f.fault(); err != nil {
		return nil, err
	}
	var first component
	stops := make([]obj, len(f.disks))
	for i, d := range f.disks {
		whole, err := d.Option()
		if err != nil {
			return nil, err
		}
		var chart component
		if err := json.Unmarshal(whole, &chart); err != nil {
			return nil, fmt.Errorf("viz: tour: %w", err)
		}
		series := d.unpackedSeries(list(chart["series"]))
		stops[i] = obj{"series": moving(series)}
		if i == 0 {
			for _, s := range series {
				delete(s, "chest")
			}
			first = chart
			first["series"] = raw(series)
		}
	}
	_, tall := f.disks[0].bounds()
	first["timeline"] = raw(f.timeline(tall))
	first["animation"], first["animationDuration"], first["animationDurationUpdate"] = raw(true), raw(0), raw(800)
	return json.Marshal(obj{"baseOption": first, "options": stops})
}

// unpackedSeries is the series of a disk with all points as rows: what is packed
// only the script of disks can read, and that knows no timelines.
func (f *DiskFigure) unpackedSeries(series []component) []component {
	k := 0
	for i, s := range series {
		if k == len(f.groups) || string(s["name"]) != string(raw(f.groups[k].name)) {
			continue
		}
		o := f.points(f.groups[k], true)
		if o.Chest != nil && o.Chest.Packed != "" {
			o.Dims = nil
			f.unpacked(f.groups[k], true, &o)
			o.Chest = &chestOption{Move: "points"}
			series[i] = componentOf(o)
		}
		k++
	}
	return series
}

// moving is the data of the series that move from stop to stop: those that the
// script of disks would move.
func moving(series []component) []obj {
	parts := make([]obj, len(series))
	for k, s := range series {
		parts[k] = obj{}
		if s["chest"] != nil {
			parts[k]["data"] = s["data"]
		}
	}
	return parts
}

// sliderTall is the height of the slider under the disk, in pixels.
const sliderTall = 56

// timeline is the slider, below a disk of a height.
func (f *TourFigure) timeline(tall int) obj {
	blue, dark := hexOf(okabe[0]), hexOf(ink)
	return obj{
		"axisType": "category", "data": f.names, "autoPlay": false, "playInterval": 1500, "loop": false, "currentIndex": 0,
		"left": diskLeft + 8, "width": diskSide - 16, "top": tall + 4, "height": sliderTall - 12, "padding": 0,
		"label":     obj{"color": hexOf(quiet), "fontSize": 11},
		"lineStyle": obj{"color": hexOf(faint)}, "itemStyle": obj{"color": hexOf(faint)},
		"checkpointStyle": obj{"color": blue, "borderColor": "#ffffff"},
		"progress":        obj{"lineStyle": obj{"color": blue}, "itemStyle": obj{"color": blue}, "label": obj{"color": hexOf(quiet)}},
		"controlStyle":    obj{"color": hexOf(quiet), "borderColor": hexOf(quiet)},
		"emphasis":        obj{"label": obj{"color": dark}, "itemStyle": obj{"color": blue}, "controlStyle": obj{"color": dark, "borderColor": dark}},
	}
}

// Places of the still picture, in pixels.
const (
	tourSide   = 320 // a disk
	tourLegend = 54
)

// halves are the first and the last disk as parts of the still picture, each
// under the name of its stop.
func (f *TourFigure) halves() [2]panelled {
	var both [2]panelled
	for k, i := range []int{0, len(f.disks) - 1} {
		both[k] = f.disks[i].panel(tourSide)
		both[k].base().title = f.names[i]
	}
	return both
}

// bounds is the size of the still picture; the interactive form is as high as a
// disk with a slider.
func (f *TourFigure) bounds() (w, h int) {
	both := f.halves()
	_, first := both[0].bounds()
	_, last := both[1].bounds()
	h = int(heading{title: f.title}.room()) + max(first, last)
	if f.entries() != nil {
		h += tourLegend + 8
	}
	return chartWidth, h
}

// entries is the legend of the still picture; nil where it would say nothing.
func (f *TourFigure) entries() []entry {
	d := f.disks[0]
	if all := d.entries(); d.tells(all) {
		return all
	}
	return nil
}

// MIMEBundle is the picture in all its forms.
func (f *TourFigure) MIMEBundle() map[string]any {
	b := message(f)
	option, err := f.Option()
	img, there := b[display.MIMEPNG].([]byte)
	if err != nil || !there {
		return b
	}
	w, h := f.bounds()
	_, tall := f.disks[0].bounds()
	id := newID()
	b[display.MIMEHTML] = chart(id, echarts.Loader(id, "", option), picture("", f.Alt(), img, w, h), diskWidth, tall+sliderTall)
	return b
}

// paint draws the first and the last disk, and below them the legend.
func (f *TourFigure) paint(s *sheet) error {
	if err := f.fault(); err != nil {
		return err
	}
	heading{title: f.title}.paint(s)
	top := heading{title: f.title}.room()
	for k, half := range f.halves() {
		w, _ := half.bounds()
		if err := s.part(half, float64(k*(chartWidth-w)), top); err != nil {
			return err
		}
	}
	f.paintLegend(s, place{chartEdge, s.h - tourLegend, chartWidth - 2*chartEdge, tourLegend})
	return nil
}

// paintLegend draws the legend in rows; what does not fit is counted.
func (f *TourFigure) paintLegend(s *sheet, at place) {
	all, columns, step := f.entries(), 6, 18.0
	most := columns * int(at.h/step)
	style := anchored(sans(12, ink, false), text.XLeft, text.YCenter)
	width := at.w / float64(columns)
	for i, e := range all {
		x, y := at.x+width*float64(i%columns), at.y+step*(float64(i/columns)+0.5)
		if i == most-1 && len(all) > most {
			s.text(x, y-1.5, style, "+ "+thousands(len(all)-i)+" more")
			return
		}
		e.draw(s, x+6, y)
		s.text(x+15, y-1.5, style, cut(style, e.name, width-18))
	}
}
