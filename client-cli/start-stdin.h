#pragma once

#include <sys/types.h>
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

/* Writes our standard input to that of a task, in a process of its own, which ends with us. Gives
 * its pid, or -errno after a message. */
pid_t start_stdin_stream(uint64_t id);
void start_stdin_stop(pid_t pid); /* does nothing when it is not above 0 */
