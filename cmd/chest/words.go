package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// knowWords makes an unknown word behind a command that has commands below it an
// error with exit code 2, whatever flags stand beside it; behind help, too. Such a
// command alone does what it does, which is help if it does nothing. Cobra alone
// prints help and ends well.
func knowWords(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if words := c.Flags().Args(); c.HasSubCommands() && len(words) > 0 {
			return unknownWord(c, words[0])
		}
		return err
	})
	knowWordsOf(root)
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			c.Run, c.RunE = nil, helpOn
		}
	}
}

// knowWordsOf does so with c and all below it.
func knowWordsOf(c *cobra.Command) {
	if !c.HasSubCommands() {
		return
	}
	c.Args = func(c *cobra.Command, words []string) error {
		if len(words) > 0 {
			return unknownWord(c, words[0])
		}
		return nil
	}
	if !c.Runnable() {
		c.DisableFlagsInUseLine = true
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	for _, below := range c.Commands() {
		knowWordsOf(below)
	}
}

// helpOn shows the help of the command that the words name.
func helpOn(help *cobra.Command, words []string) error {
	c, rest, err := help.Root().Find(words)
	if err != nil {
		return err
	}
	if c.HasSubCommands() && len(rest) > 0 {
		return unknownWord(c, rest[0])
	}
	c.InitDefaultHelpFlag()
	c.InitDefaultVersionFlag()
	return c.Help()
}

// unknownWord says that c has no such command, which one may be meant, and where
// help is.
func unknownWord(c *cobra.Command, word string) error {
	meant := ""
	if near := nearest(c, word); near != "" {
		meant = fmt.Sprintf(" (did you mean %s?)", near)
	}
	return exitError{exitUsage, fmt.Errorf("%s has no command %q%s: see '%[1]s --help'", c.CommandPath(), word, meant)}
}

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
