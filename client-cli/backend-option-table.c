#include "client-cli/backend-option-table.h"

/* clang-format off */
static const BackendOption options[] = {
    {"type", "s", BACKEND_OPTION_TEXT, OPT_TYPE},
    {"status-path", "s", BACKEND_OPTION_TEXT, OPT_STATUS_PATH},
    {"status-interval", "t", BACKEND_OPTION_SPAN, OPT_STATUS_INTERVAL},
    {"poll-path", "s", BACKEND_OPTION_TEXT, OPT_POLL_PATH},
    {"poll-interval", "t", BACKEND_OPTION_SPAN, OPT_POLL_INTERVAL},
    {"polling", "b", BACKEND_OPTION_SWITCH, OPT_NO_POLLING},
    {"timeout", "t", BACKEND_OPTION_SPAN, OPT_TIMEOUT},
    {"connect-timeout", "t", BACKEND_OPTION_SPAN, OPT_SET},
    {"response-max", "t", BACKEND_OPTION_SIZE, OPT_SET},
    {"failure-threshold", "u", BACKEND_OPTION_COUNT, OPT_FAILURE_THRESHOLD},
    {"success-threshold", "u", BACKEND_OPTION_COUNT, OPT_SUCCESS_THRESHOLD},
    {"backoff-max", "t", BACKEND_OPTION_SPAN, OPT_SET},
    {"expect-status", "s", BACKEND_OPTION_TEXT, OPT_EXPECT_STATUS},
    {"expect", "as", BACKEND_OPTION_TEXTS, OPT_EXPECT},
    {"expect-time", "t", BACKEND_OPTION_SPAN, OPT_SET},
    {"ca-file", "s", BACKEND_OPTION_FILE, OPT_CA_FILE},
    {"client-cert", "s", BACKEND_OPTION_FILE, OPT_CLIENT_CERT},
    {"client-key", "s", BACKEND_OPTION_FILE, OPT_CLIENT_KEY},
    {"auth", "s", BACKEND_OPTION_TEXT, OPT_AUTH},
    {"credential", "s", BACKEND_OPTION_PLACE, OPT_CREDENTIAL},
    {},
};
/* clang-format on */

const BackendOption *backend_options(void) {
    return options;
}
