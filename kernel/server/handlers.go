package server

import (
	"runtime"
	"strings"

	"github.com/chestlab/chest/kernel/wire"
)

// handlers answers each message type. They are called one at a time for each
// of the channels shell and control.
var handlers map[string]func(*kernel, job)

func init() {
	handlers = map[string]func(*kernel, job){
		"kernel_info_request": kernelInfo,
		"execute_request":     execute,
		"is_complete_request": isComplete,
		"complete_request":    complete,
		"inspect_request":     inspect,
		"history_request":     past,
		"comm_info_request":   commInfo,
		"comm_open":           commOpen,
		"comm_msg":            commMsg,
		"comm_close":          commClose,
		"debug_request":       debug,
		"interrupt_request":   interrupt,
		"shutdown_request":    shutdown,
	}
}

func kernelInfo(k *kernel, j job) {
	version := k.o.Version
	if version == "" {
		version = "0"
	}
	links := k.o.HelpLinks
	if links == nil {
		links = []wire.HelpLink{{Text: "The Go language", URL: "https://go.dev/ref/spec"}}
	}
	k.reply(j, wire.KernelInfoReply{
		Status:                wire.StatusOK,
		ProtocolVersion:       wire.ProtocolVersion,
		Implementation:        "chest",
		ImplementationVersion: version,
		LanguageInfo: wire.LanguageInfo{
			Name: "go", Version: strings.TrimPrefix(runtime.Version(), "go"),
			MIMEType: "text/x-go", FileExtension: ".go", PygmentsLexer: "go", CodemirrorMode: "go",
		},
		Banner:    k.o.Banner,
		HelpLinks: links,
	})
}

func past(k *kernel, j job) {
	var req wire.HistoryRequest
	if err := j.Into(&req); err != nil {
		k.reply(j, wire.ErrorReply{EName: "bad request", EValue: err.Error()})
		return
	}
	k.reply(j, wire.HistoryReply{Status: wire.StatusOK, History: k.history.answer(req)})
}

// debug refuses: this kernel has no debugger, as kernel_info says.
func debug(k *kernel, j job) {
	k.reply(j, wire.ErrorReply{EName: "not supported", EValue: "this kernel has no debugger"})
}

func interrupt(k *kernel, j job) {
	k.host.Interrupt()
	k.reply(j, wire.StatusReply{Status: wire.StatusOK})
}

func shutdown(k *kernel, j job) {
	var req wire.ShutdownRequest
	j.Into(&req)
	k.reply(j, wire.ShutdownReply{Status: wire.StatusOK, Restart: req.Restart})
	k.stop()
}
