#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "client-cli/commands.h"
#include "client-cli/interrupt.h"
#include "client-cli/output.h"
#include "client-cli/stdin-writer.h"

/* longrun write */

const Option write_options[] = {
    {OPT_CLOSE, 'c', "close", NULL, "then close it: the command reads the end of file"},
    {OPT_QUIET, 'q', "quiet", NULL, "print nothing"},
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

/* For Ctrl-C: a part of the piece that is under way may be written, too. */
static void tell(const StdinWriter *w) {
    interrupt_say("\nAt least %" PRIu64 " bytes were written to task %" PRIu64
                  ", which goes on. Its property StdinSize has the number.\n",
                  w->written, w->id);
}

/* Gives a descriptor, or -errno after a message. */
static int open_source(const char *name) {
    if (!name || streq(name, "-"))
        return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0)
        return fd;
    fd = -errno;
    print_error("cannot open %s: %s", name, strerror(-fd));
    return fd;
}

static int print_json(const StdinWriter *w, bool closed) {
    _cleanup_json_ cJSON *object = must(cJSON_CreateObject());

    cJSON_AddItemToObject(object, "written", json_new_u64(w->written));
    cJSON_AddBoolToObject(object, "closed", closed);
    return json_print(object);
}

static int report(const Invocation *inv, const StdinWriter *w) {
    bool closed = invocation_has(inv, OPT_CLOSE);

    if (invocation_has(inv, OPT_JSON))
        return print_json(w, closed);
    if (!invocation_has(inv, OPT_QUIET))
        printf("Wrote %" PRIu64 " bytes to task %" PRIu64 "%s\n", w->written, w->id,
               closed ? ", and closed its input" : "");
    return EXIT_SUCCESS;
}

int cmd_write(const Invocation *inv) {
    _cleanup_close_ int fd = -EBADF;
    _cleanup_bus_ sd_bus *bus = NULL;
    StdinWriter w = {.tell = tell};
    uint64_t id;
    int r;

    if (invocation_has(inv, OPT_JSON) && invocation_has(inv, OPT_QUIET))
        return usage_error(inv->command, "--json does not go together with --quiet");
    r = parse_id(inv->command, inv->args[0], &id);
    if (r != 0)
        return r;
    fd = open_source(inv->args[1]);
    if (fd < 0)
        return fd;
    r = client_connect(&bus);
    if (r == 0)
        r = stdin_writer_begin(&w, bus, id);
    if (r == 0)
        r = stdin_writer_copy(&w, fd);
    if (r == 0 && invocation_has(inv, OPT_CLOSE))
        r = stdin_writer_close(&w);
    return r != 0 ? r : report(inv, &w);
}
