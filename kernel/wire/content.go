package wire

import "encoding/json"

// The contents of the messages, each as its JSON object. Lists and maps that
// the protocol wants are sent as [] and {} when they are nil.

// Status values of replies and of the kernel.
const (
	StatusOK      = "ok"
	StatusError   = "error"
	StatusAborted = "aborted" // a queued cell after one that failed
	Busy          = "busy"
	Idle          = "idle"
	Starting      = "starting"
)

// LanguageInfo tells a front end how to show and save cells.
type LanguageInfo struct {
	Name           string `json:"name"`
	Version        string `json:"version"`
	MIMEType       string `json:"mimetype"`
	FileExtension  string `json:"file_extension"`
	PygmentsLexer  string `json:"pygments_lexer,omitempty"`
	CodemirrorMode any    `json:"codemirror_mode,omitempty"`
}

// HelpLink is one entry of the front end's help menu.
type HelpLink struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// KernelInfoReply answers kernel_info_request.
type KernelInfoReply struct {
	Status                string       `json:"status"`
	ProtocolVersion       string       `json:"protocol_version"`
	Implementation        string       `json:"implementation"`
	ImplementationVersion string       `json:"implementation_version"`
	LanguageInfo          LanguageInfo `json:"language_info"`
	Banner                string       `json:"banner"`
	Debugger              bool         `json:"debugger"`
	HelpLinks             []HelpLink   `json:"help_links"`
}

// ExecuteRequest asks to run a cell.
type ExecuteRequest struct {
	Code            string            `json:"code"`
	Silent          bool              `json:"silent"`
	StoreHistory    bool              `json:"store_history"`
	UserExpressions map[string]string `json:"user_expressions"`
	AllowStdin      bool              `json:"allow_stdin"`
	StopOnError     bool              `json:"stop_on_error"`
}

// UnmarshalJSON gives absent fields the protocol's defaults: store_history is
// true unless silent, stop_on_error is true.
func (r *ExecuteRequest) UnmarshalJSON(data []byte) error {
	type plain ExecuteRequest
	p := struct {
		*plain
		StoreHistory *bool `json:"store_history"`
		StopOnError  *bool `json:"stop_on_error"`
	}{plain: (*plain)(r)}
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	r.StoreHistory = !r.Silent && (p.StoreHistory == nil || *p.StoreHistory)
	r.StopOnError = p.StopOnError == nil || *p.StopOnError
	return nil
}

// ExecuteReply ends an execute_request. With status "error" or "aborted" the
// three error fields count, with "ok" Payload and UserExpressions.
type ExecuteReply struct {
	Status          string         `json:"status"`
	ExecutionCount  int            `json:"execution_count"`
	Payload         []any          `json:"payload"`
	UserExpressions map[string]any `json:"user_expressions"`
	EName           string         `json:"ename,omitempty"`
	EValue          string         `json:"evalue,omitempty"`
	Traceback       []string       `json:"traceback,omitempty"`
}

// MarshalJSON sends the fields that belong to the status.
func (r ExecuteReply) MarshalJSON() ([]byte, error) {
	if r.Status == StatusError {
		return marshal(struct {
			Status         string   `json:"status"`
			ExecutionCount int      `json:"execution_count"`
			EName          string   `json:"ename"`
			EValue         string   `json:"evalue"`
			Traceback      []string `json:"traceback"`
		}{r.Status, r.ExecutionCount, r.EName, r.EValue, list(r.Traceback)})
	}
	type plain ExecuteReply
	r.Payload = list(r.Payload)
	if r.UserExpressions == nil {
		r.UserExpressions = map[string]any{}
	}
	return marshal(plain(r))
}

// PagePayload shows a bundle beside the notebook.
type PagePayload struct {
	Source string         `json:"source"` // "page"
	Data   map[string]any `json:"data"`
	Start  int            `json:"start"` // line
}

// NextInputPayload makes a cell of the front end.
type NextInputPayload struct {
	Source  string `json:"source"` // "set_next_input"
	Text    string `json:"text"`
	Replace bool   `json:"replace"` // the cell that ran, rather than a new one below
}

// ExecuteInput tells every front end what is being run.
type ExecuteInput struct {
	Code           string `json:"code"`
	ExecutionCount int    `json:"execution_count"`
}

// Stream is text of standard output or standard error.
type Stream struct {
	Name string `json:"name"` // "stdout" or "stderr"
	Text string `json:"text"`
}

// Transient is what a front end needs but does not save.
type Transient struct {
	DisplayID string `json:"display_id,omitempty"`
}

// DisplayData is the content of display_data and update_display_data. Data
// maps MIME types to a string, to raw bytes (sent as base64) or, for JSON
// types, to any value.
type DisplayData struct {
	Data      map[string]any `json:"data"`
	Metadata  map[string]any `json:"metadata"`
	Transient Transient      `json:"transient"`
}

// MarshalJSON sends {} for nil maps.
func (d DisplayData) MarshalJSON() ([]byte, error) {
	type plain DisplayData
	d.Data, d.Metadata = dict(d.Data), dict(d.Metadata)
	return marshal(plain(d))
}

// ExecuteResult is the value of a cell.
type ExecuteResult struct {
	ExecutionCount int            `json:"execution_count"`
	Data           map[string]any `json:"data"`
	Metadata       map[string]any `json:"metadata"`
	Transient      Transient      `json:"transient"`
}

// MarshalJSON sends {} for nil maps.
func (r ExecuteResult) MarshalJSON() ([]byte, error) {
	type plain ExecuteResult
	r.Data, r.Metadata = dict(r.Data), dict(r.Metadata)
	return marshal(plain(r))
}

// Error is the content of the error message on iopub.
type Error struct {
	EName     string   `json:"ename"`
	EValue    string   `json:"evalue"`
	Traceback []string `json:"traceback"`
}

// MarshalJSON sends [] for a nil traceback.
func (e Error) MarshalJSON() ([]byte, error) {
	type plain Error
	e.Traceback = list(e.Traceback)
	return marshal(plain(e))
}

// ErrorReply answers any request that failed as a whole.
type ErrorReply struct {
	EName     string
	EValue    string
	Traceback []string
}

// MarshalJSON adds the status.
func (e ErrorReply) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Status    string   `json:"status"`
		EName     string   `json:"ename"`
		EValue    string   `json:"evalue"`
		Traceback []string `json:"traceback"`
	}{StatusError, e.EName, e.EValue, list(e.Traceback)})
}

// StatusReply is a reply that says only that all is well, such as
// interrupt_reply.
type StatusReply struct {
	Status string `json:"status"`
}

// Status tells that the kernel is busy or idle.
type Status struct {
	ExecutionState string `json:"execution_state"`
}

// IOPubWelcome tells a subscriber that it gets every message from now on.
type IOPubWelcome struct {
	Subscription string `json:"subscription"` // the topic it asked for
}

// ClearOutput removes the outputs of the running cell.
type ClearOutput struct {
	Wait bool `json:"wait"` // only when the next output comes
}

// IsCompleteRequest asks whether code can be run as it stands.
type IsCompleteRequest struct {
	Code string `json:"code"`
}

// IsCompleteReply answers: "complete", "incomplete", "invalid" or "unknown".
type IsCompleteReply struct {
	Status string `json:"status"`
	Indent string `json:"indent,omitempty"` // of the next line, when incomplete
}

// ShutdownRequest and its reply end the kernel.
type ShutdownRequest struct {
	Restart bool `json:"restart"`
}

// ShutdownReply answers ShutdownRequest, just before the kernel ends.
type ShutdownReply struct {
	Status  string `json:"status"`
	Restart bool   `json:"restart"`
}

// InputRequest asks the user for a line.
type InputRequest struct {
	Prompt   string `json:"prompt"`
	Password bool   `json:"password"`
}

// InputReply is the user's line.
type InputReply struct {
	Value string `json:"value"`
}

// CompleteRequest asks how the word at the cursor can go on. CursorPos counts
// Unicode code points.
type CompleteRequest struct {
	Code      string `json:"code"`
	CursorPos int    `json:"cursor_pos"`
}

// CompleteReply lists what can replace the code from CursorStart to CursorEnd.
type CompleteReply struct {
	Status      string         `json:"status"`
	Matches     []string       `json:"matches"`
	CursorStart int            `json:"cursor_start"`
	CursorEnd   int            `json:"cursor_end"`
	Metadata    map[string]any `json:"metadata"`
}

// MarshalJSON sends [] and {} for nil.
func (r CompleteReply) MarshalJSON() ([]byte, error) {
	type plain CompleteReply
	r.Matches, r.Metadata = list(r.Matches), dict(r.Metadata)
	return marshal(plain(r))
}

// MatchType tells the kind of a match, in the metadata of a CompleteReply.
type MatchType struct {
	Text      string `json:"text"`
	Type      string `json:"type"`
	Signature string `json:"signature"`
	Start     int    `json:"start"`
	End       int    `json:"end"`
}

// InspectRequest asks for the documentation of the word at the cursor.
type InspectRequest struct {
	Code        string `json:"code"`
	CursorPos   int    `json:"cursor_pos"` // in Unicode code points
	DetailLevel int    `json:"detail_level"`
}

// InspectReply is the documentation as a bundle of MIME types.
type InspectReply struct {
	Status   string         `json:"status"`
	Found    bool           `json:"found"`
	Data     map[string]any `json:"data"`
	Metadata map[string]any `json:"metadata"`
}

// MarshalJSON sends {} for nil maps.
func (r InspectReply) MarshalJSON() ([]byte, error) {
	type plain InspectReply
	r.Data, r.Metadata = dict(r.Data), dict(r.Metadata)
	return marshal(plain(r))
}

// HistoryRequest asks for cells that ran before.
type HistoryRequest struct {
	Output         bool   `json:"output"`
	Raw            bool   `json:"raw"`
	HistAccessType string `json:"hist_access_type"` // "range", "tail" or "search"
	Session        int    `json:"session"`
	Start          int    `json:"start"`
	Stop           int    `json:"stop"`
	N              int    `json:"n"`
	Pattern        string `json:"pattern"`
	Unique         bool   `json:"unique"`
}

// HistoryReply holds [session, line, input] or, with outputs, [session, line,
// [input, output]] for each cell.
type HistoryReply struct {
	Status  string `json:"status"`
	History []any  `json:"history"`
}

// MarshalJSON sends [] for nil.
func (r HistoryReply) MarshalJSON() ([]byte, error) {
	type plain HistoryReply
	r.History = list(r.History)
	return marshal(plain(r))
}

// CommInfoRequest asks which comms are open.
type CommInfoRequest struct {
	TargetName string `json:"target_name"`
}

// CommTarget is what a comm talks to.
type CommTarget struct {
	TargetName string `json:"target_name"`
}

// CommInfoReply maps the ids of open comms to their targets.
type CommInfoReply struct {
	Status string                `json:"status"`
	Comms  map[string]CommTarget `json:"comms"`
}

// MarshalJSON sends {} for nil.
func (r CommInfoReply) MarshalJSON() ([]byte, error) {
	type plain CommInfoReply
	r.Comms = dict(r.Comms)
	return marshal(plain(r))
}

// CommOpen opens a comm.
type CommOpen struct {
	CommID     string         `json:"comm_id"`
	TargetName string         `json:"target_name"`
	Data       map[string]any `json:"data"`
}

// MarshalJSON sends {} for nil.
func (m CommOpen) MarshalJSON() ([]byte, error) {
	type plain CommOpen
	m.Data = dict(m.Data)
	return marshal(plain(m))
}

// CommMessage is the content of comm_msg and comm_close.
type CommMessage struct {
	CommID string         `json:"comm_id"`
	Data   map[string]any `json:"data"`
}

// MarshalJSON sends {} for nil.
func (m CommMessage) MarshalJSON() ([]byte, error) {
	type plain CommMessage
	m.Data = dict(m.Data)
	return marshal(plain(m))
}

// list is s, or an empty list that JSON writes as [].
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// dict is m, or an empty map that JSON writes as {}.
func dict[T any](m map[string]T) map[string]T {
	if m == nil {
		return map[string]T{}
	}
	return m
}
