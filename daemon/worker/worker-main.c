#include "daemon/worker/worker-main.h"

#include <errno.h>
#include <inttypes.h>

#include "common/fd-io.h"
#include "common/parse.h"
#include "daemon/kinds/kinds.h"
#include "daemon/worker/worker-context.h"

#define RESULT_MAX_DEFAULT MIB

static void print_kinds(const WorkerProgram *p, FILE *out) {
    for (const Kind *const *k = p->kinds; *k; k++)
        if ((*k)->run)
            fprintf(out, "  %-10s  %s\n", (*k)->name, (*k)->description);
}

static void print_usage(const WorkerProgram *p, FILE *out) {
    fprintf(out, "Usage: %s [--messages] KIND < PARAMS\n", p->name);
    fputs("Does the work of a built-in kind. The params are a JSON object on stdin.\n"
          "\n"
          "With --messages they are the first line of it, and each one after that is a message to\n"
          "the task. Those that it sends go to $NOTIFY_SOCKET.\n"
          "\n"
          "Log lines go to stdout and stderr; progress, status and the closing words to\n"
          "$NOTIFY_SOCKET, or, where it is not set, the closing words to stderr; the result to\n"
          "the file $LONGRUN_RESULT, or to stdout. $LONGRUN_RESULT_MAX is its largest size in\n"
          "bytes. SIGTERM and SIGINT cancel.\n"
          "\n"
          "Exit status: 0 succeeded, 1 failed, 2 wrong usage, 3 cancelled.\n"
          "\n"
          "Kinds:\n",
          out);
    print_kinds(p, out);
}

static const Kind *kind_named(const WorkerProgram *p, const char *name) {
    for (const Kind *const *k = p->kinds; *k; k++)
        if ((*k)->run && streq((*k)->name, name))
            return *k;
    return NULL;
}

static int find_kind(const WorkerProgram *p, int argc, char **argv, const Kind **ret) {
    if (argc != 2) {
        print_usage(p, stderr);
        return -EINVAL;
    }
    *ret = kind_named(p, argv[1]);
    if (*ret)
        return 0;
    fprintf(stderr, "%s: unknown kind '%s', there are:\n", p->name, argv[1]);
    print_kinds(p, stderr);
    return -EINVAL;
}

static int read_result_max(const WorkerProgram *p, uint64_t *ret) {
    const char *value = getenv(WORKER_ENV_RESULT_MAX);

    *ret = RESULT_MAX_DEFAULT;
    if (!value || parse_u64(value, ret) >= 0)
        return 0;
    fprintf(stderr, "%s: %s=%s: must be a number of bytes\n", p->name, WORKER_ENV_RESULT_MAX,
            value);
    return -EINVAL;
}

static int read_line(WorkerInput *in, char **ret) {
    int r;

    while ((r = worker_input_take(in, KIND_PARAMS_MAX + 1, ret)) == -EAGAIN && in->fd >= 0 &&
           in->size <= KIND_PARAMS_MAX)
        worker_input_wait(in, USEC_INFINITY, NULL);
    if (r != -EAGAIN)
        return r;
    if (in->size > KIND_PARAMS_MAX)
        return -EFBIG;
    *ret = strdup("");
    return *ret ? 0 : -ENOMEM;
}

/* The first line where messages are to follow. */
static int read_params_text(WorkerInput *in, char **ret, size_t *ret_size) {
    if (in->fd < 0)
        return fd_read_all(STDIN_FILENO, KIND_PARAMS_MAX, ret, ret_size);
    int r = read_line(in, ret);
    if (r >= 0)
        *ret_size = strlen(*ret);
    return r;
}

/* An empty stdin stands for no params. */
static int read_params(const Kind *kind, WorkerInput *in, cJSON **ret, char **ret_error) {
    _cleanup_(cJSON_Deletep) cJSON *params = NULL;
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r;

    r = read_params_text(in, &text, &size);
    if (r == -EFBIG)
        return kind_params_error(ret_error, "the params are longer than %" PRIu64 " bytes",
                                 KIND_PARAMS_MAX);
    if (r < 0)
        return kind_params_error(ret_error, "the params could not be read from stdin: %s",
                                 strerror(-r));
    if (strlen(text) < size)
        return kind_params_error(ret_error, "the params hold a NUL byte: no JSON text does");
    r = kind_parse_params(text[strspn(text, " \t\r\n")] ? text : "{}", &params, ret_error);
    if (r < 0)
        return r;
    r = kind->check(params, ret_error);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(params);
    return 0;
}

static int run(const Kind *kind, const cJSON *params, WorkerInput *in, uint64_t result_max) {
    WorkerContext w;
    int r;

    worker_context_init(&w, getenv("NOTIFY_SOCKET"), in, getenv(WORKER_ENV_RESULT), result_max);
    r = kind->run(&w.context, params);
    worker_context_conclude(&w, r);
    worker_context_done(&w);
    return r == -ECANCELED ? WORKER_EXIT_CANCELLED
           : r < 0         ? WORKER_EXIT_FAILED
                           : WORKER_EXIT_SUCCEEDED;
}

int worker_main(const WorkerProgram *program, int argc, char **argv) {
    _cleanup_(cJSON_Deletep) cJSON *params = NULL;
    _cleanup_free_ char *error = NULL;
    _cleanup_(worker_input_done) WorkerInput input = {.fd = -EBADF};
    const Kind *kind;
    uint64_t result_max;
    int r;

    if (argc == 2 && streq(argv[1], "--help")) {
        print_usage(program, stdout);
        return 0;
    }
    if (argc > 1 && streq(argv[1], WORKER_MESSAGES)) {
        input.fd = STDIN_FILENO;
        argv[1] = argv[0];
        argc--;
        argv++;
    }
    if (find_kind(program, argc, argv, &kind) < 0 || read_result_max(program, &result_max) < 0)
        return WORKER_EXIT_USAGE;
    r = read_params(kind, &input, &params, &error);
    if (r < 0) {
        fprintf(stderr, "%s: %s: %s\n", program->name, kind->name, error ?: strerror(-r));
        return WORKER_EXIT_USAGE;
    }
    return run(kind, params, &input, result_max);
}
