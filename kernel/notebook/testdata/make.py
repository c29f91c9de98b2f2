"""Writes full.ipynb with nbformat (5.5.0, Debian 12): /usr/bin/python3 make.py

It holds each kind of cell and output, fields that chest does not know, and
text that needs care: < > &, letters beyond ASCII, empty text, no last newline.
"""
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
nb = new_notebook(metadata={
    "kernelspec": {"display_name": "Go (chest)", "language": "go", "name": "chest"},
    "language_info": {"name": "go", "version": "1.26", "file_extension": ".go"},
    "unknown": {"pi": 3.140, "big": 12345678901234567890, "list": [], "object": {}, "nothing": None, "yes": True},
})
cells = [
    new_markdown_cell("# Points & *curves* \\<in> $B^n$\n\nSéance: κ < 0 → ball.\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n![dot](attachment:dot.png)",
                      attachments={"dot.png": {"image/png": png}}),
    new_raw_cell("raw & text\n"),
    new_code_cell("epochs := 8\nrate := 1e-3", execution_count=1, metadata={"tags": ["parameters"]}),
    new_code_cell('for i := range 3 {\n\tfmt.Println(i, "</script>")\n}\n', execution_count=2, outputs=[
        new_output("stream", name="stdout", text="0 </script>\n1 </script>\n2 </script>\n"),
        new_output("stream", name="stderr", text="no newline"),
        new_output("display_data", {"text/plain": "<image, 1×1>", "image/png": png}, metadata={"image/png": {"width": 40, "height": 40}}),
        new_output("display_data", {"text/html": "<b>bold</b>\n", "text/plain": "bold"}),
        new_output("display_data", {"image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8">\n<rect width="8" height="8"/></svg>', "text/plain": "a square"}),
        new_output("display_data", {"application/json": {"a": [1, "x"]}, "application/x+json": ["not", "lines"]}),
        new_output("display_data", {"text/latex": "$\\kappa_1 < 0$", "text/plain": ""}),
        new_output("execute_result", {"text/plain": "[1 2 3]"}, execution_count=2),
    ]),
    new_code_cell("boom()", execution_count=3, outputs=[
        new_output("error", ename="panic", evalue="too <far>", traceback=["\x1b[31;1mIn[3]:1:1\x1b[0m: panic: too <far>", "> boom()"]),
    ]),
    new_code_cell(""),
]
for i, c in enumerate(cells):
    c["id"] = "cell-%d" % i
cells[3]["unknown_field"] = {"kept": [1, 2]}
nb.cells = cells
nb["unknown_top"] = "kept"
with open("full.ipynb", "w", encoding="utf-8") as f:
    nbformat.write(nb, f)
