"""The Jupyter project's conformance suite for kernels, with samples in Go.

Every capability that the suite knows is demanded: none of its tests is
skipped. Run by suite_test.go, with the kernelspec in JUPYTER_PATH.
"""

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
        {"text": "x := 1\nfmt.Sprintl", "matches": {"Sprintln"}},
        {"text": "fmt.Nothing", "matches": set()},
    ]
    complete_code_samples = ["1 + 1", "x := 1", 'fmt.Println("a")', "func f() int {\n\treturn 1\n}", "!ls", "%time"]
    incomplete_code_samples = ["fmt.Println(", "func f() int {", "x := 1 +", "`open"]
    invalid_code_samples = ["x := := 1", ")", "fmt.Println(1))", '"open']
    code_page_something = "fmt.Println?"
    code_generate_error = "nothing + 1"
    code_execute_result = [
        {"code": "1 + 2 + 3", "result": "6"},
        {"code": '"a" + "b"', "result": "ab"},
        {"code": "[]int{1, 2}", "result": "[1 2]"},
        {"code": "1 + 2 + 4", "result": "7"},
        {"code": 'display.HTML("<b>hi</b>")', "mime": "text/html"},
        {"code": "1 + 2 + 5", "result": "8"},
    ]
    code_display_data = [
        {"code": 'display.Show(display.HTML("<b>hi</b>"))', "mime": "text/html"},
        {"code": 'display.Show(display.Markdown("**hi**"))', "mime": "text/markdown"},
        {"code": 'display.Show(display.Latex("$x^2$"))', "mime": "text/latex"},
        {"code": 'display.Show(display.SVG("<svg xmlns=\\"http://www.w3.org/2000/svg\\"/>"))', "mime": "image/svg+xml"},
        {"code": 'display.Show(display.JSON(map[string]int{"a": 1}))', "mime": "application/json"},
        {"code": 'import "image"\ndisplay.Show(image.NewGray(image.Rect(0, 0, 2, 2)))', "mime": "image/png"},
    ]
    code_history_pattern = "1 ? 2 ? 3"
    supported_history_operations = ("tail", "search", "range")
    code_inspect_sample = "fmt.Println"
    code_clear_output = "display.Clear(false)"


if __name__ == "__main__":
    unittest.main(verbosity=2)
