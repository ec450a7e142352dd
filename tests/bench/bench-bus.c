#include "tests/bench/bench-bus.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME "org.longrun.Longrun1"
#define ROOT "/org/longrun/Longrun1"

void bench_fail(int error, const char *what) {
    fprintf(stderr, "bench-client: %s: %s\n", what, strerror(-error));
    exit(EXIT_FAILURE);
}

static void check(int r, const char *what) {
    if (r < 0)
        bench_fail(r, what);
}

sd_bus *bench_connect(void) {
    sd_bus *bus;

    check(sd_bus_open_user(&bus), "cannot connect to the bus");
    return bus;
}

void bench_run_until(sd_bus *bus, const bool *done) {
    while (!*done) {
        int r = sd_bus_process(bus, NULL);
        check(r, "cannot handle a message");
        if (r == 0)
            check(sd_bus_wait(bus, UINT64_MAX), "cannot wait for a message");
    }
}

sd_bus_message *bench_new_call(sd_bus *bus, const char *interface, const char *member) {
    sd_bus_message *call;

    check(sd_bus_message_new_method_call(bus, &call, NAME, ROOT, interface, member),
          "cannot make a call");
    return call;
}

sd_bus_message *bench_new_start_command(sd_bus *bus, char **argv) {
    sd_bus_message *call = bench_new_call(bus, NAME ".Manager", "StartCommand");

    check(sd_bus_message_append_strv(call, argv), "cannot append a command");
    check(sd_bus_message_append(call, "a{sv}", 0), "cannot append options");
    return call;
}

uint64_t bench_start(sd_bus *bus, sd_bus_message *call) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply;
    uint64_t id;
    int r = sd_bus_call(bus, call, 0, &error, &reply);

    if (r < 0)
        bench_fail(r, error.message ?: "cannot start a task");
    check(sd_bus_message_read(reply, "to", &id, NULL), "cannot read an answer");
    sd_bus_message_unref(reply);
    sd_bus_message_unref(call);
    return id;
}

void bench_match(sd_bus *bus, const char *interface, const char *member,
                 sd_bus_message_handler_t handler, void *userdata) {
    check(sd_bus_match_signal(bus, NULL, NAME, NULL, interface, member, handler, userdata),
          "cannot ask for a signal");
}
