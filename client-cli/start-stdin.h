#pragma once

#include <systemd/sd-bus.h>

#include "client-cli/command.h"

/* What a command that is started finds on its standard input: what --stdin names, or the file that
 * is on ours. */

#define START_STDIN_MAX (1 * MIB) /* that goes with the call; of more, the daemon gets the name */

typedef struct StartStdin {
    char *text;   /* what is said about it: "12.0K of words.txt", owned; NULL = nothing */
    bool streams; /* it is to be written while the command runs */
} StartStdin;

void start_stdin_done(StartStdin *s);

/* Appends it to the open a{sv} of a call. 0; EXIT_USAGE, EXIT_FAILURE or -errno after a message. */
int start_stdin_append(const Invocation *inv, sd_bus_message *call, StartStdin *ret);

/* Says so when something waits on our standard input that the command was not to have. */
void start_stdin_hint(const Invocation *inv);
