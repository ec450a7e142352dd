#include "client-cli/log-attempt.h"

#include <errno.h>
#include <inttypes.h>

#include "client-cli/output.h"

static int unknown_attempt(uint64_t id, uint32_t number, uint64_t last) {
    if (last == 0)
        print_error("task %" PRIu64 " has not been started yet", id);
    else if (number == 0 || number > last)
        print_error("task %" PRIu64 " has no attempt %" PRIu32 ": %s%" PRIu64, id, number,
                    last == 1 ? "there is only attempt " : "there are attempts 1 to ", last);
    else
        print_error("task %" PRIu64 " was attempted too often: where attempt %" PRIu32
                    " is in its log is not known any more; \"longrun show %" PRIu64
                    "\" has those that are",
                    id, number, id);
    return -ENOENT;
}

/* Those that were not the last, or not by now. */
static bool find_before(const cJSON *task, uint32_t number, LogSource *s) {
    const cJSON *attempts = cJSON_GetObjectItemCaseSensitive(task, "attempts"), *a;

    cJSON_ArrayForEach (a, attempts)
        if (json_u64(a, "number") == number) {
            s->offset = json_u64(a, "log-offset");
            s->end = a->next ? json_u64(a->next, "log-offset") : json_u64(task, "log-begin");
            return true;
        }
    return false;
}

int log_attempt_select(sd_bus *bus, uint64_t id, uint32_t number, LogSource *s) {
    _cleanup_json_ cJSON *task = NULL;
    int r = client_task_properties(bus, id, &task);

    if (r < 0)
        return r;
    uint64_t last = json_u64(task, "attempt");
    if (find_before(task, number, s))
        return 0;
    if (number == 0 || number != last)
        return unknown_attempt(id, number, last);
    s->offset = json_u64(task, "log-begin");
    return 0;
}
