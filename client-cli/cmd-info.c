#include <inttypes.h>
#include <stdio.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"

/* longrun info */

const Option info_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

/* The daemon's process, 0 when the bus does not tell. */
static uint64_t daemon_pid(sd_bus *bus) {
    _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
    pid_t pid;

    if (sd_bus_get_name_creds(bus, CLIENT_NAME, SD_BUS_CREDS_PID, &creds) < 0 ||
        sd_bus_creds_get_pid(creds, &pid) < 0)
        return 0;
    return (uint64_t)pid;
}

static void print_isolation(const cJSON *info) {
    static const struct {
        const char *name, *meaning;
    } known[] = {
        {"cgroup", "cgroup: each task has a control group of its own, and outlives the daemon"},
        {"process-group", "process-group: there are no control groups to have, so memory is "
                          "measured now and then, and a CPU weight does nothing"},
    };
    const char *name = json_string(info, "isolation");

    for (size_t i = 0; i < ELEMENTSOF(known); i++)
        if (streq(name, known[i].name))
            name = known[i].meaning;
    print_field("Isolation", name);
}

static void print_info(const cJSON *info) {
    uint64_t max = json_u64(info, "max-parallel");
    char text[64];

    print_field("Version", json_string(info, "version"));
    if (json_u64(info, "pid") > 0) {
        snprintf(text, sizeof(text), "%" PRIu64, json_u64(info, "pid"));
        print_field("Process", text);
    }
    print_isolation(info);
    snprintf(text, sizeof(text), "%" PRIu64, json_u64(info, "running"));
    if (max > 0)
        snprintf(text, sizeof(text), "%" PRIu64 " of at most %" PRIu64, json_u64(info, "running"),
                 max);
    print_field("Running", text);
    snprintf(text, sizeof(text), "%" PRIu64, json_u64(info, "queued"));
    print_field("Queued", text);
    if (json_is_true(info, "low-disk"))
        print_field("Disk", "nearly full: no task is started until there is room again");
    if (json_is_true(info, "ends-at-logout"))
        print_field("Logout", "ends all tasks; \"loginctl enable-linger\" lets them go on");
}

int cmd_info(const Invocation *inv) {
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_json_ cJSON *info = NULL;
    int r;

    r = client_connect(&bus);
    if (r < 0)
        return r;
    r = client_manager_properties(bus, &info);
    if (r < 0)
        return r;
    cJSON_AddItemToObject(info, "pid", json_new_u64(daemon_pid(bus)));
    if (invocation_has(inv, OPT_JSON))
        return json_print(info);
    print_info(info);
    return EXIT_SUCCESS;
}
