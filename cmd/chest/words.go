package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// execute runs a command line and returns the command that it names. Besides what
// cobra does,
//
//   - an unknown word behind a command that has commands below it is an error with
//     exit code 2, whatever flags stand beside it, behind help, too; such a command
//     alone shows its help;
//   - a wrong number of arguments and a wrong value of a flag are told in words of
//     this program.
func execute(root *cobra.Command, args []string) (*cobra.Command, error) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	root.SetFlagErrorFunc(flagError)
	show, unknown := root.HelpFunc(), error(nil)
	root.SetHelpFunc(func(c *cobra.Command, all []string) {
		if unknown = onlyKnown(c, c.Flags().Args()); unknown == nil {
			show(c, all)
		}
	})
	watchWords(root)
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			c.Run, c.RunE = nil, helpOn
		}
	}
	root.SetArgs(args)
	c, err := root.ExecuteContextC(context.Background())
	return c, errors.Join(unknown, err)
}

// watchWords looks after the words behind c and all commands below it.
func watchWords(c *cobra.Command) {
	if !c.HasSubCommands() {
		if c.Args != nil {
			c.Args = arity(c.Args)
		}
		return
	}
	c.Args = onlyKnown
	if !c.Runnable() {
		c.DisableFlagsInUseLine = true
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	for _, sub := range c.Commands() {
		watchWords(sub)
	}
}

// helpOn shows the help of the command that the words name.
func helpOn(help *cobra.Command, words []string) error {
	c, rest, err := help.Root().Find(words)
	if err == nil {
		err = onlyKnown(c, rest)
	}
	if err != nil {
		return err
	}
	c.InitDefaultHelpFlag()
	c.InitDefaultVersionFlag()
	return c.Help()
}

// onlyKnown says that c, which has commands below it, has none of the first word's
// name, which one may be meant, and where help is.
func onlyKnown(c *cobra.Command, words []string) error {
	if !c.HasSubCommands() || len(words) == 0 {
		return nil
	}
	meant := ""
	if near := nearest(c, words[0]); near != "" {
		meant = fmt.Sprintf(" (did you mean %s?)", near)
	}
	return exitError{exitUsage, fmt.Errorf("%s has no command %q%s; see '%s --help'", below(c), words[0], meant, c.CommandPath())}
}

// below is the name of c without that of the program.
func below(c *cobra.Command) string { return strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ") }

// nearest is the command below c whose name is closest to word or begins with it,
// "" if none is near.
func nearest(c *cobra.Command, word string) string {
	for c.SuggestionsMinimumDistance = 1; c.SuggestionsMinimumDistance <= 2; c.SuggestionsMinimumDistance++ {
		if names := c.SuggestionsFor(word); len(names) > 0 {
			return names[0]
		}
	}
	return ""
}

// arity is a check of arguments that tells what came and what is wanted.
func arity(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, words []string) error {
		if check(c, words) == nil {
			return nil
		}
		came := "no argument"
		if len(words) > 0 {
			came = fmt.Sprintf("%q", words)
		}
		return fmt.Errorf("%s got %s; want %s %s", below(c), came, c.Parent().CommandPath(), c.Use)
	}
}

// flagError says what is wrong with a flag; an unknown word comes first.
func flagError(c *cobra.Command, err error) error {
	if unknown := onlyKnown(c, c.Flags().Args()); unknown != nil {
		return unknown
	}
	var bad *pflag.InvalidValueError
	if !errors.As(err, &bad) {
		return fmt.Errorf("%s: %w", below(c), err)
	}
	want := map[string]string{"int": "a whole number", "float64": "a number", "duration": "a time such as 90s or 10m", "bool": "true or false"}[bad.GetFlag().Value.Type()]
	if want == "" {
		_, want, _ = strings.Cut(bad.Error(), " flag: ")
	}
	return fmt.Errorf("%s: --%s %q; want %s", below(c), bad.GetFlag().Name, bad.GetValue(), want)
}
