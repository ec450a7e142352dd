#pragma once

#include <systemd/sd-bus.h>

#include "common/macro.h"

/* The few calls that the benchmark makes, with as little work on this side as sd-bus allows. What
 * goes wrong ends the program with a message. */

_Noreturn void bench_fail(int error, const char *what);

sd_bus *bench_connect(void);

/* Handles messages until *done. */
void bench_run_until(sd_bus *bus, const bool *done);

sd_bus_message *bench_new_call(sd_bus *bus, const char *interface, const char *member);

/* StartCommand without options. */
sd_bus_message *bench_new_start_command(sd_bus *bus, char **argv);

/* Makes the call, waits for the answer, gives the id in it and releases the call. */
uint64_t bench_start(sd_bus *bus, sd_bus_message *call);

/* Waits until the daemon has begun to send the signal. */
void bench_match(sd_bus *bus, const char *interface, const char *member,
                 sd_bus_message_handler_t handler, void *userdata);
