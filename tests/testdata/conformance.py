"""Runs Jupyter's own conformance suite for kernels, jupyter_kernel_test, with
every sample that it knows: one line a test, its name and how it went."""
import unittest

import jupyter_kernel_test


class ChestTests(jupyter_kernel_test.KernelTests):
    kernel_name = "chest"
    language_name = "go"
    file_extension = ".go"
    code_hello_world = 'fmt.Println("hello, world")'
    code_stderr = 'import "os"\nfmt.Fprintln(os.Stderr, "oops")'
    completion_samples = [
        {"text": "fmt.Printl", "matches": {"Println"}},
        {"text": "strings.", },
        {"text": "zigz"},
    ]
    complete_code_samples = ["1", 'fmt.Println("a")', "func f() int {\n\treturn 1\n}\n", "x := `raw\nstring`", "// note"]
    incomplete_code_samples = ["func f() {", "for i := range 3 {", 'fmt.Println("a",', "x := `raw", "/* note", "1 +"]
    invalid_code_samples = ["func )(", "x := := 1"]
    code_page_something = "fmt.Println?"
    code_generate_error = 'panic("on purpose")'
    code_execute_result = [
        {"code": "1 + 2 + 3", "result": "6"},
        {"code": "[]int{1, 2, 3}[1:]", "result": "[2 3]"},
        {"code": 'display.HTML("<b>bold</b>")', "mime": "text/html"},
    ]
    code_display_data = [
        {"code": 'display.Show(display.HTML("<b>x</b>"))', "mime": "text/html"},
        {"code": 'display.Show(display.Markdown("**x**"))', "mime": "text/markdown"},
        {"code": 'display.Show(display.Latex("$x$"))', "mime": "text/latex"},
        {"code": 'display.Show(display.SVG("<svg/>"))', "mime": "image/svg+xml"},
        {"code": 'display.Show(display.PNG([]byte{1, 2}))', "mime": "image/png"},
        {"code": 'display.Show(display.JPEG([]byte{1, 2}))', "mime": "image/jpeg"},
        {"code": 'display.Show(display.JSON(map[string]int{"a": 1}))', "mime": "application/json"},
    ]
    code_history_pattern = "1 ? 2*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "fmt.Println"
    code_clear_output = "display.Clear(false)"


class Lines(unittest.TestResult):
    def say(self, test, how, why=""):
        name = test.id().split(".")[-1] if "[" not in test.id() else test.test_case.id().split(".")[-1]
        print(name, how, flush=True)
        if why:
            print("\n".join("    " + l for l in str(why).splitlines()[-6:]), flush=True)

    def addSuccess(self, test):
        self.say(test, "ok")

    def addSkip(self, test, reason):
        self.say(test, "skipped", reason)

    def addError(self, test, err):
        self.say(test, "failed", self._exc_info_to_string(err, test))

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.say(test, "failed", f"{subtest}: {err[1]}")


unittest.defaultTestLoader.loadTestsFromTestCase(ChestTests).run(Lines())
