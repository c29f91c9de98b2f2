package viz

// The parts of an ECharts option that go-echarts cannot say and the disk needs:
// two titles, a legend that cuts long names, silent series.

// option is a whole ECharts option.
type option struct {
	Animation  bool          `json:"animation"`
	Background string        `json:"backgroundColor"`
	Title      []titleOption `json:"title"`
	Legend     legendOption  `json:"legend"`
	Tooltip    tooltipOption `json:"tooltip"`
	Grid       boxOption     `json:"grid"`
	X          axisOption    `json:"xAxis"`
	Y          axisOption    `json:"yAxis"`
	Zoom       []zoomOption  `json:"dataZoom"`
	Series     []any         `json:"series"`
}

type titleOption struct {
	Text  string     `json:"text"`
	Left  int        `json:"left"`
	Top   int        `json:"top"`
	Style textOption `json:"textStyle"`
}

type textOption struct {
	Color    string `json:"color"`
	Size     int    `json:"fontSize"`
	Weight   string `json:"fontWeight,omitempty"`
	Width    int    `json:"width,omitempty"`
	Line     int    `json:"lineHeight,omitempty"`
	Overflow string `json:"overflow,omitempty"`
}

type legendOption struct {
	Show    bool       `json:"show"`
	Type    string     `json:"type"`
	Orient  string     `json:"orient"`
	Left    int        `json:"left"`
	Top     int        `json:"top"`
	Height  int        `json:"height"`
	Width   int        `json:"itemWidth"`
	Tall    int        `json:"itemHeight"`
	Data    []any      `json:"data"` // names, or legendItem
	Style   textOption `json:"textStyle"`
	Tooltip showOption `json:"tooltip"`
}

// legendItem is a name with a mark that is not that of its series.
type legendItem struct {
	Name string `json:"name"`
	Icon string `json:"icon"`
}

type showOption struct {
	Show bool `json:"show"`
}

type tooltipOption struct {
	Trigger   string `json:"trigger"`
	Formatter string `json:"formatter,omitempty"`
	Confine   bool   `json:"confine,omitempty"`
}

type boxOption struct {
	Left   int `json:"left"`
	Top    int `json:"top"`
	Width  int `json:"width"`
	Height int `json:"height"`
}

type axisOption struct {
	Show bool    `json:"show"`
	Type string  `json:"type"`
	Min  float64 `json:"min"`
	Max  float64 `json:"max"`
}

// zoomOption is zooming with the wheel; keys keep the page's own scrolling.
type zoomOption struct {
	Type   string `json:"type"`
	X      *int   `json:"xAxisIndex,omitempty"`
	Y      *int   `json:"yAxisIndex,omitempty"`
	Filter string `json:"filterMode"`
	Wheel  string `json:"zoomOnMouseWheel"`
	Move   string `json:"moveOnMouseMove"`
	Back   bool   `json:"preventDefaultMouseMove"`
}

// lineOption is a line that does not answer the mouse.
type lineOption struct {
	Type   string       `json:"type"`
	Silent bool         `json:"silent"`
	Symbol string       `json:"symbol"`
	Z      int          `json:"z"`
	Style  strokeOption `json:"lineStyle"`
	Data   [][2]float64 `json:"data"`
	Chest  *chestOption `json:"chest,omitempty"`
}

type strokeOption struct {
	Color   string  `json:"color"`
	Width   float64 `json:"width"`
	Type    string  `json:"type"`
	Opacity float64 `json:"opacity,omitempty"`
}

// linesOption is many short lines with one look.
type linesOption struct {
	Type     string         `json:"type"`
	System   string         `json:"coordinateSystem"`
	Polyline bool           `json:"polyline"`
	Name     string         `json:"name"`
	Silent   bool           `json:"silent"`
	Z        int            `json:"z"`
	Style    strokeOption   `json:"lineStyle"`
	Data     [][][2]float64 `json:"data"`
	Chest    *chestOption   `json:"chest,omitempty"`
}

// chestOption is what the script of the disk reads of a series; ECharts does
// not.
type chestOption struct {
	// Move says what becomes of the data when another point comes to the centre:
	// "points" move, "arcs" are geodesics between their ends. "" stays.
	Move string `json:"move,omitempty"`
	// Packed is the points as base64 of pairs of int16, little endian, in units
	// of Unit from (X, Y); with Ball they are vectors at the centre of the disk.
	Packed string  `json:"packed,omitempty"`
	Unit   float64 `json:"unit,omitempty"`
	X      float64 `json:"x,omitempty"`
	Y      float64 `json:"y,omitempty"`
	Ball   bool    `json:"ball,omitempty"`
	// Names is the second line of the tooltip, for packed points.
	Names []string `json:"names,omitempty"`
	// Thumbs is row → JPEG file in base64.
	Thumbs map[int]string `json:"thumbs,omitempty"`
	// Panel is the number of the picture in a row of pictures.
	Panel int `json:"panel,omitempty"`
}

// labelsOption is texts at places.
type labelsOption struct {
	Type   string     `json:"type"`
	Silent bool       `json:"silent"`
	Size   int        `json:"symbolSize"`
	Z      int        `json:"z"`
	Label  textLabel  `json:"label"`
	Encode encode     `json:"encode"`
	Data   [][]any    `json:"data"`
	Hover  showOption `json:"tooltip"`

	Chest *chestOption `json:"chest,omitempty"`
}

type textLabel struct {
	Show       bool   `json:"show"`
	Position   string `json:"position"`
	Formatter  string `json:"formatter"`
	Color      string `json:"color"`
	Size       int    `json:"fontSize"`
	Background string `json:"backgroundColor"`
	Padding    [2]int `json:"padding"`
}

// encode says which entries of a row are x, y and name.
type encode struct {
	X    int  `json:"x"`
	Y    int  `json:"y"`
	Name *int `json:"itemName,omitempty"`
}

// scatterOption is one series of points.
type scatterOption struct {
	Type      string        `json:"type"`
	Name      string        `json:"name"`
	Symbol    string        `json:"symbol"`
	Size      float64       `json:"symbolSize"`
	Z         int           `json:"z"`
	Large     bool          `json:"large,omitempty"`
	Threshold int           `json:"largeThreshold,omitempty"`
	Style     itemOption    `json:"itemStyle"`
	Emphasis  *focusOption  `json:"emphasis,omitempty"`
	Tooltip   tooltipOption `json:"tooltip"`
	Encode    encode        `json:"encode"`
	Silent    bool          `json:"silent,omitempty"`
	Dims      []string      `json:"dimensions,omitempty"`
	Data      any           `json:"data"`
	Chest     *chestOption  `json:"chest,omitempty"`
}

type itemOption struct {
	Color       string  `json:"color"`
	Opacity     float64 `json:"opacity"`
	BorderColor string  `json:"borderColor,omitempty"`
	BorderWidth float64 `json:"borderWidth,omitempty"`
}

// focusOption dims the other series while one is pointed at.
type focusOption struct {
	Focus string `json:"focus"`
}

// markedPoint is a point with its own colour.
type markedPoint struct {
	Value [2]float64 `json:"value"`
	Name  string     `json:"name"`
	Style itemOption `json:"itemStyle"`
}
