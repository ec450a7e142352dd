#pragma once

#include "common/terminal-size.h"

/* A terminal for the command: a pseudo-terminal, see pty(7). */

#define SHIM_TERMINAL_TYPE "xterm-256color" /* TERM, when the environment does not say */

/* Makes one of this size. Gives our side of it, non-blocking: what the command prints is read from
 * there, and what is written there is as if it had been typed. And the command's side, of which the
 * caller keeps one open as long as there may be a process: without it, reading from our side would
 * fail, and poll(2) return at once, between the last process that has it open and the next that
 * opens /dev/tty. 0 or -errno. */
int shim_terminal_open(const TerminalSize *size, int *ret_own, int *ret_command);

/* Makes it the terminal of the calling process, which leads a session that has none; its process
 * group is in the foreground then. */
int shim_terminal_take(int command_fd);

/* What is to be written to our side for the end of the input: whoever reads then gets what there is
 * of a line, or, where there is nothing, the end of file. The terminal stays as it is. '\0' when
 * there is no such character: the command has switched it off, or reads key by key. */
char shim_terminal_end_of_input(int own_fd);
