#include "client-cli/surroundings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client-cli/append.h"
#include "client-cli/client.h"
#include "client-cli/here.h"
#include "client-cli/output.h"
#include "common/terminal-size.h"
#include "common/text.h"

#define UMASK_MAX 0777

/* What belongs to the process that calls, or to the service that it is part of, and would mislead
 * another one. */
static const char *const own_variables[] = {"NOTIFY_SOCKET", "JOURNAL_STREAM", "INVOCATION_ID"};
static const char *const own_prefixes[] = {"WATCHDOG_", "LISTEN_", "LONGRUN_"};

static bool wants_terminal(const Invocation *inv) {
    return invocation_has(inv, OPT_PTY) || invocation_has(inv, OPT_PTY_SIZE);
}

static int append_cwd(const Invocation *inv, sd_bus_message *call) {
    _cleanup_free_ char *path = here_path(invocation_value(inv, OPT_CWD), " Name one: --cwd DIR");

    return path ? append_string(call, "cwd", path) : EXIT_FAILURE;
}

int surroundings_append_umask(const Invocation *inv, sd_bus_message *call) {
    const char *given = invocation_value(inv, OPT_UMASK);
    unsigned long mask;

    if (given) {
        char *end;
        mask = strtoul(given, &end, 8);
        if (strspn(given, "01234567") == 0 || *end || mask > UMASK_MAX)
            return usage_error(inv->command, "--umask wants an octal number up to 777, not \"%s\"",
                               given);
    } else {
        mask = umask(0);
        umask((mode_t)mask);
    }
    return append_u32(call, "umask", (uint32_t)mask);
}

static bool is_own(const char *variable) {
    size_t n = strcspn(variable, "=");

    for (size_t i = 0; i < ELEMENTSOF(own_variables); i++)
        if (strlen(own_variables[i]) == n && strncmp(variable, own_variables[i], n) == 0)
            return true;
    for (size_t i = 0; i < ELEMENTSOF(own_prefixes); i++)
        if (strncmp(variable, own_prefixes[i], strlen(own_prefixes[i])) == 0)
            return true;
    return false;
}

/* Whether one of the options --env from number first on sets the same variable. */
static bool is_overridden(const Invocation *inv, size_t first, const char *variable) {
    size_t n = strcspn(variable, "=") + 1;

    for (size_t i = first; i < inv->n_options; i++)
        if (inv->options[i].id == OPT_ENV && strncmp(inv->options[i].value, variable, n) == 0)
            return true;
    return false;
}

static int append_inherited(const Invocation *inv, sd_bus_message *call) {
    for (char **e = environ; *e; e++) {
        size_t n = strcspn(*e, "=");
        if (n == 0 || (*e)[n] == '\0' || is_own(*e) || is_overridden(inv, 0, *e))
            continue;
        if (!utf8_is_valid(*e)) {
            if (!invocation_has(inv, OPT_QUIET))
                print_error("leaving out the variable %.*s: it is not UTF-8, and D-Bus carries no "
                            "other text",
                            (int)n, *e);
            continue;
        }
        int r = sd_bus_message_append_basic(call, 's', *e);
        if (r < 0)
            return client_report(NULL, r);
    }
    return 0;
}

static int append_given(const Invocation *inv, sd_bus_message *call) {
    for (size_t i = 0; i < inv->n_options; i++) {
        const char *variable = inv->options[i].value;
        if (inv->options[i].id != OPT_ENV)
            continue;
        if (!strchr(variable, '=') || variable[0] == '=')
            return usage_error(inv->command, "--env wants NAME=VALUE, not \"%s\"", variable);
        if (is_overridden(inv, i + 1, variable))
            continue;
        int r = text_check("--env", variable);
        if (r != 0)
            return r;
        r = sd_bus_message_append_basic(call, 's', variable);
        if (r < 0)
            return client_report(NULL, r);
    }
    return 0;
}

/* --clean-env says nothing of the terminal, on which the output will be seen. */
static int append_term(const Invocation *inv, sd_bus_message *call) {
    const char *term = getenv("TERM");
    _cleanup_free_ char *variable = NULL;

    if (!wants_terminal(inv) || isempty(term) || !utf8_is_valid(term) ||
        is_overridden(inv, 0, "TERM="))
        return 0;
    if (asprintf(&variable, "TERM=%s", term) < 0)
        variable = NULL;
    int r = sd_bus_message_append_basic(call, 's', must(variable));
    return r < 0 ? client_report(NULL, r) : 0;
}

static int append_env(const Invocation *inv, sd_bus_message *call) {
    bool clean = invocation_has(inv, OPT_CLEAN_ENV);
    int r;

    r = append_open_array(call, "env", "s");
    if (r != 0)
        return r;
    r = clean ? append_term(inv, call) : append_inherited(inv, call);
    if (r == 0)
        r = append_given(inv, call);
    if (r != 0)
        return r;
    r = append_close_array(call);
    if (r != 0)
        return r;
    return clean ? 0 : append_bool(call, "clear-env", true);
}

/* One of the three may be redirected, or all. */
static bool find_terminal_size(TerminalSize *ret) {
    static const int fds[] = {STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO};
    struct winsize window;

    for (size_t i = 0; i < ELEMENTSOF(fds); i++)
        if (ioctl(fds[i], TIOCGWINSZ, &window) >= 0 && window.ws_col > 0 && window.ws_row > 0) {
            *ret = (TerminalSize){window.ws_col, window.ws_row};
            return true;
        }
    return false;
}

/* What of it was not named. */
static int append_terminal(const Invocation *inv, sd_bus_message *call) {
    char text[TERMINAL_SIZE_MAX];
    TerminalSize size;

    if (!wants_terminal(inv))
        return 0;
    if (!invocation_has(inv, OPT_PTY))
        return append_bool(call, "pty", true);
    if (invocation_has(inv, OPT_PTY_SIZE) || !find_terminal_size(&size))
        return 0;
    snprintf(text, sizeof(text), "%ux%u", size.columns, size.rows);
    return append_string(call, "pty-size", text);
}

int surroundings_append(const Invocation *inv, sd_bus_message *call) {
    int r;

    r = append_cwd(inv, call);
    if (r == 0)
        r = append_env(inv, call);
    if (r == 0)
        r = surroundings_append_umask(inv, call);
    return r != 0 ? r : append_terminal(inv, call);
}
