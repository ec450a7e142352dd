#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/core/task-options.h"
#include "daemon/kinds/kinds.h"
#include "daemon/manager-private.h"

/* A request by itself, held against what there is here: groups, kinds, folders, resources. */

/* Only what the kernel has cached is asked for (RESOLVE_CACHED of openat2(2)): a folder on a
 * network that is down must not hold up the daemon. What is not known is left to the shim: it may
 * also be made by the task before. */
static int check_cwd(const TaskSpec *spec, Error *error) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_CACHED};
    _cleanup_close_ int fd = (int)syscall(SYS_openat2, AT_FDCWD, spec->cwd, &how, sizeof(how));
    struct statx stx;

    if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx) < 0 ||
        S_ISDIR(stx.stx_mode))
        return 0;
    return error_set(error, ERROR_INVALID_OPTION, "cwd %s is not a folder", spec->cwd);
}

static int check_params(const Manager *m, const TaskSpec *spec, const Kind *kind, Error *error) {
    _cleanup_free_ char *why = NULL;
    cJSON *params = NULL;
    int r = kind_parse_params(isempty(spec->params) ? "{}" : spec->params, &params, &why);

    if (r >= 0)
        r = kind->check(params, &why);
    if (r < 0)
        r = error_set(error, ERROR_INVALID_OPTION, "params of kind %s: %s", kind->name,
                      why ?: strerror(-r));
    if (r >= 0 && kind->place == KIND_PLACE_LOOP)
        r = manager_check_operation(m, spec, params, error);
    cJSON_Delete(params);
    return r;
}

static int check_kind(const Manager *m, const TaskSpec *spec, Error *error) {
    const Kind *kind;

    if (streq(spec->kind, TASK_KIND_COMMAND))
        return 0;
    kind = kind_by_name(spec->kind);
    if (!kind)
        return error_set(error, ERROR_NO_SUCH_KIND,
                         "There is no kind \"%.100s\". The property Kinds, or \"longrun kinds\", "
                         "lists those that there are",
                         spec->kind);
    const char *option = spec->isolate ? "isolate" : task_spec_process_option(spec);
    if (kind->place == KIND_PLACE_LOOP && option)
        return error_set(error, ERROR_INVALID_OPTION,
                         "%s is not for kind %s: it waits for a server, in longrund itself, and "
                         "outlives it",
                         option, kind->name);
    return check_params(m, spec, kind, error);
}

/* A condition that nobody has made would be waited for until somebody does. */
static int check_condition(const Manager *m, const TaskSpec *spec, Error *error) {
    if (isempty(spec->when_online) || scheduler_has_condition(&m->scheduler, spec->when_online))
        return 0;
    return error_set(error, ERROR_NO_SUCH_BACKEND,
                     "There is no backend \"%.100s\" for when-online: add it first, by AddBackend "
                     "or \"longrun backend add\"",
                     spec->when_online);
}

static int check_place(const Manager *m, const TaskSpec *spec, Error *error) {
    int r = check_cwd(spec, error);

    if (r >= 0)
        r = task_start_at_check(spec->start_at, clock_usec(CLOCK_REALTIME), error);
    if (r >= 0)
        r = check_condition(m, spec, error);
    return r < 0 ? r : resource_check(&m->scheduler.resources, spec->resources, error);
}

int manager_check_again(Manager *m, TaskSpec **spec, Error *error) {
    int r = check_kind(m, *spec, error);

    if (r >= 0)
        r = task_spec_check(*spec, error);
    if (r >= 0)
        r = check_place(m, *spec, error);
    return r < 0 ? r : task_spec_pack(spec);
}

/* What the kind decides where the request has not. */
static int apply_kind(TaskSpec *spec, const TaskSpec *group_defaults) {
    const Kind *kind = kind_by_name(spec->kind);
    bool said = TASK_SPEC_GIVES(spec, on_interrupt) ||
                (group_defaults && TASK_SPEC_GIVES(group_defaults, on_interrupt));

    if (!kind)
        return 0;
    spec->isolate |= kind->place == KIND_PLACE_PROCESS;
    if (said || !kind->goes_on)
        return 0;
    char *restart = strdup(TASK_ON_INTERRUPT_RESTART);
    if (!restart)
        return -ENOMEM;
    free(spec->on_interrupt);
    spec->on_interrupt = restart;
    return 0;
}

int manager_check_spec(void *userdata, TaskSpec **spec, Error *error) {
    Manager *m = userdata;
    Group *g;
    int r = manager_find_group(m, (*spec)->group, &g, error);

    /* First what has a process of its own, for of the group's defaults some are for such alone. */
    if (r >= 0)
        r = apply_kind(*spec, g->defaults);
    if (r >= 0)
        r = task_spec_apply_defaults(*spec, g->defaults);
    return r < 0 ? r : manager_check_again(m, spec, error);
}
