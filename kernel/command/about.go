package command

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/eval"
)

func help(sh *Shell, _ context.Context, _ eval.Cell, name string) eval.Result {
	name = strings.TrimPrefix(name, "%")
	if name != "" {
		i := slices.IndexFunc(table, func(i info) bool { return i.name == name })
		if i < 0 {
			return failed("%%help: %%%s is not a command%s", name, meant(name))
		}
		fmt.Fprintf(sh.out, "%s\n    %s\n", strings.TrimSpace("%"+table[i].name+" "+table[i].args), table[i].help)
		return eval.Result{}
	}
	w := tabwriter.NewWriter(sh.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "Special lines stand at the top of a cell:")
	for _, i := range table {
		fmt.Fprintf(w, "  %s\t%s\n", strings.TrimSpace("%"+i.name+" "+i.args), i.help)
	}
	fmt.Fprint(w, "  !command\trun a line of the shell\n  $ program args\trun a program, without a shell\n  name? name??\tshow the documentation of a name; with ?? more of it\n")
	fmt.Fprintln(w, "Tab completes, Shift-Tab explains. The last expression of a cell is its value; a semicolon behind it hides it.")
	w.Flush()
	return eval.Result{}
}

func engine(sh *Shell, _ context.Context, _ eval.Cell, _ string) eval.Result {
	fmt.Fprintf(sh.out, "yaegi, an interpreter, behind the type checker of %s\n", runtime.Version())
	return eval.Result{}
}

func who(sh *Shell, _ context.Context, _ eval.Cell, _ string) eval.Result {
	vars := sh.session.Vars()
	if len(vars) == 0 {
		fmt.Fprintln(sh.out, "no variables yet")
		return eval.Result{}
	}
	w := tabwriter.NewWriter(sh.out, 0, 4, 2, ' ', 0)
	for _, v := range vars {
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.Name, v.Type, v.Value)
	}
	w.Flush()
	return eval.Result{}
}

func doc(sh *Shell, _ context.Context, _ eval.Cell, name string) eval.Result {
	if name == "" {
		return failed("%%doc needs a name, such as %%doc fmt.Println")
	}
	return sh.page(name, 0)
}

// page is the documentation of a name, for the pager.
func (sh *Shell) page(name string, detail int) eval.Result {
	in := sh.session.Inspect(name, len(name), detail)
	if !in.Found {
		return failed("%s is not known", name)
	}
	b := display.Bundle{display.MIMEText: in.Text}
	if in.Markdown != "" {
		b[display.MIMEMarkdown] = in.Markdown
	}
	return eval.Result{Page: b}
}
