#include "client-cli/start-follow.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client-cli/follow.h"
#include "client-cli/interrupt.h"
#include "client-cli/log-open.h"
#include "client-cli/output.h"
#include "client-cli/stdin-stream.h"

/* Nobody else knows that what comes on our stdin will not come any more. */
void start_follow_keys(uint64_t id, bool streams) {
    char cut_off[96] = "";

    if (streams)
        snprintf(cut_off, sizeof(cut_off),
                 "  End its input:   longrun write --close %" PRIu64 " /dev/null\n", id);
    interrupt_say("\nTask %" PRIu64 " goes on.\n"
                  "  Come back to it: longrun log -f %" PRIu64 "\n"
                  "  Cancel it:       longrun cancel %" PRIu64 "\n%s",
                  id, id, id, cut_off);
    suspend_say("\nYou have stopped looking on; task %" PRIu64 " goes on.\n"
                "  Look on again:   fg\n"
                "  Stop the task:   longrun pause %" PRIu64 "\n",
                id, id);
}

static int show_output(sd_bus *bus, uint64_t id, bool streams, TaskEnd *ret_end) {
    _cleanup_(log_source_done) LogSource source = LOG_SOURCE_NONE;
    _cleanup_(stdin_stream_end) StdinStream stream = {};
    LogView view = {.form = LOG_FORM_SPLIT, .escapes = ESCAPE_FILTER_RAW, .own_aside = true};
    int r = log_open(bus, id, true, &source);

    if (r >= 0 && streams)
        r = stdin_stream_begin(&stream, id);
    if (r < 0)
        return r;
    log_view_init(&view);
    r = follow_log(bus, id, &source, &view, ret_end);
    log_view_done(&view);
    return r;
}

/* "task 42 failed: exit code 2"; the message may begin with the state itself. */
static void print_failure(const TaskEnd *end, const char *message, bool quiet) {
    if (quiet && strncmp(message, "exit code ", 10) == 0) /* our own status says as much */
        return;
    bool has_state = strncmp(message, end->state, strlen(end->state)) == 0;

    print_error("task %" PRIu64 " %s%s%s", end->id, has_state ? "" : end->state,
                has_state ? "" : ": ", message);
}

int start_follow(sd_bus *bus, uint64_t id, bool streams, bool quiet) {
    _cleanup_json_ cJSON *task = NULL;
    TaskEnd end;
    int r = show_output(bus, id, streams, &end);

    if (r < 0)
        return r;
    /* The log does not say why a command could not be started, or what ended it. */
    if (!streq(end.state, "succeeded") && client_task_properties(bus, id, &task) >= 0)
        print_failure(&end, json_string(task, "message"), quiet);
    return client_exit_status(&end);
}
