// Command habeas is the program: one binary with a command for each thing that a person does with it.
//
// It owns the words of the command line: flags, what is printed where, exit codes. What a command does is wired in
// package app. One file a group of commands.
//
//	stdout   the answer alone, with --json as one JSON value
//	stderr   logs, and what is wrong: a line each, naming file, field or setting
//	exit     0 it is so, 1 what was asked did not hold, 2 wrong usage
package main
