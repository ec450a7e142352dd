#include <stdio.h>
#include <sys/stat.h>

#include "client-cli/commands.h"
#include "client-cli/here.h"
#include "client-cli/output.h"
#include "client-cli/params.h"
#include "client-cli/start-task.h"
#include "client-cli/task-options.h"
#include "common/parse.h"

/* longrun download */

#define LABEL_COLUMNS 100

/* clang-format off */
const Option download_options[] = {
    WAY_OPTIONS,
    {OPT_OUTPUT, 'o', "output", "PATH", "the file, or a folder for it (named as in the URL, here)"},
    {OPT_OVERWRITE, 0, "overwrite", NULL, "replace a file that is there"},
    {OPT_SHA256, 0, "sha256", "HEX", "what the file must have"},
    {OPT_SIZE, 0, "size", "SIZE", "the same: its bytes"},
    {OPT_HEADER, 'H', "header", "'NAME: VALUE'", "to send along; may be given several times"},
    {OPT_CA_FILE, 0, "ca-file", "FILE", "certificates to trust, PEM, instead of the system's"},
    {OPT_AUTH, 0, "auth", "HOW", "bearer, or basic (bearer)"},
    {OPT_CREDENTIAL, 0, "credential", "FILE", "has the token, or user:password"},
    {OPT_PARAM, 'p', "param", "NAME=VALUE", "another parameter of the kind download: JSON, else a string"},
    NAMED_OPTIONS,
    PLANNED_OPTIONS,
    OPTIONS_END,
};
/* clang-format on */

/* The last part of its path, as it is written; "" when it has none. Fresh string. */
static char *url_name(const char *url) {
    const char *authority = strstr(url, "://");
    const char *path = authority ? strchr(authority + 3, '/') : NULL;
    size_t n = path ? strcspn(path, "?#") : 0;

    for (size_t i = n; i > 0; i--)
        if (path[i - 1] == '/')
            return must(strndup(path + i, n - i));
    return must(strdup(""));
}

static const char *path_name(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int set_urls(const Invocation *inv, cJSON *params) {
    cJSON *urls = must(cJSON_CreateArray());

    params_set(params, "urls", urls);
    for (size_t i = 0; i < inv->n_args; i++) {
        int r = text_check("the URL", inv->args[i]);
        if (r != 0)
            return r;
        cJSON_AddItemToArray(urls, must(cJSON_CreateString(inv->args[i])));
    }
    return 0;
}

/* The task knows no place that is the caller's. */
static int set_file(const Invocation *inv, OptionId id, const char *name, cJSON *params) {
    const char *given = invocation_value(inv, id);
    _cleanup_free_ char *path = NULL;

    if (given && !*given)
        return usage_error(inv->command, "--%s wants a path", option_name(inv->command, id));
    path = here_path(given, " Name the whole path");
    int r = path ? text_check("the path", path) : EXIT_FAILURE;
    if (r == 0)
        params_set(params, name, cJSON_CreateString(path));
    return r;
}

static int set_size(const Invocation *inv, cJSON *params) {
    const char *given = invocation_value(inv, OPT_SIZE);
    uint64_t bytes;

    if (!given)
        return 0;
    if (parse_size(given, &bytes) < 0)
        return usage_error(inv->command, "--size wants bytes, as in 734003200, 700M; not \"%s\"",
                           given);
    params_set(params, "size", json_new_u64(bytes));
    return 0;
}

static int set_text(const Invocation *inv, OptionId id, const char *name, cJSON *params) {
    const char *given = invocation_value(inv, id);

    if (!given)
        return 0;
    int r = text_check(name, given);
    if (r == 0)
        params_set(params, name, cJSON_CreateString(given));
    return r;
}

static int set_trust(const Invocation *inv, cJSON *params) {
    int r = set_text(inv, OPT_AUTH, "auth", params);

    if (r == 0 && invocation_has(inv, OPT_CA_FILE))
        r = set_file(inv, OPT_CA_FILE, "ca_file", params);
    if (r == 0 && invocation_has(inv, OPT_CREDENTIAL))
        r = set_file(inv, OPT_CREDENTIAL, "credential", params);
    return r == 0 ? params_set_headers(inv, params) : r;
}

static int fill_params(const Invocation *inv, cJSON *params) {
    int r = set_urls(inv, params);

    if (r == 0)
        r = set_file(inv, OPT_OUTPUT, "path", params);
    if (r == 0)
        r = set_text(inv, OPT_SHA256, "sha256", params);
    if (r == 0)
        r = set_size(inv, params);
    if (r == 0 && invocation_has(inv, OPT_OVERWRITE))
        params_set(params, "overwrite", cJSON_CreateTrue());
    return r == 0 ? set_trust(inv, params) : r;
}

static bool is_folder(const char *path) {
    struct stat st;

    return !*path_name(path) || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/* What the file will be called, for people. Fresh string; NULL after a message: nobody has said. */
static char *find_name(const Invocation *inv) {
    const char *output = invocation_value(inv, OPT_OUTPUT);
    _cleanup_free_ char *name =
        output && !is_folder(output) ? must(strdup(path_name(output))) : url_name(inv->args[0]);

    if (*name)
        return text_cut(name, LABEL_COLUMNS);
    if (!strstr(inv->args[0], "://")) {
        usage_error(inv->command, "\"%s\" is no URL, as in https://example.org/file", inv->args[0]);
        return NULL;
    }
    usage_error(inv->command, "\"%s\" does not say what the file is called: --output FILE",
                inv->args[0]);
    return NULL;
}

int cmd_download(const Invocation *inv) {
    _cleanup_free_ char *name = find_name(inv), *text = NULL;
    _cleanup_json_ cJSON *params = NULL;
    int r = name ? params_read(inv, &params) : EXIT_USAGE;

    if (r == 0)
        r = text_check("the name", name);
    if (r == 0)
        r = fill_params(inv, params);
    if (r != 0)
        return r;
    text = must(cJSON_PrintUnformatted(params));
    return start_task(
        inv,
        &(StartRequest){.kind = "download", .params = text, .label = name, .makes_files = true});
}
