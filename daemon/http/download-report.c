#include "daemon/http/download-report.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/parse.h"
#include "daemon/http/download-answer.h"
#include "daemon/http/download-name.h"

#define STATUS_FIRST (250 * USEC_PER_MSEC)
#define STATUS_INTERVAL USEC_PER_SEC

void download_report_init(DownloadReport *r, TaskContext *c) {
    *r = (DownloadReport){.context = c, .began_at = clock_usec(CLOCK_MONOTONIC)};
}

void download_report_begin(DownloadReport *r, const char *path, uint64_t there) {
    char size[FORMAT_MAX];

    if (there > 0)
        task_context_log(r->context, "To %s, of which %s are there", path,
                         format_size(size, there));
    else
        task_context_log(r->context, "To %s", path);
}

/* ---- phases ---- */

void download_report_phase(DownloadReport *r, const char *phase) {
    task_context_phase(r->context, phase);
    r->pace = (KindPace){};
    r->said_phase = false;
}

/* Progress never falls within a phase: who begins at the beginning gets another one. */
static void say_phase(DownloadReport *r, bool anew) {
    char phase[32] = "downloading";

    if (r->said_phase && !anew)
        return;
    if (anew)
        r->times++;
    if (r->times > 0)
        snprintf(phase, sizeof(phase), "downloading (%u)", r->times + 1);
    download_report_phase(r, phase);
    r->said_phase = true;
}

/* ---- tries ---- */

void download_report_try(DownloadReport *r, const char *url) {
    download_name_host(url, r->host, sizeof(r->host));
    task_context_log(r->context, "GET %s", url);
    task_context_status(r->context, "Asking %s", r->host);
}

void download_report_answer(DownloadReport *r, uint64_t from, uint64_t total, bool anew) {
    char size[FORMAT_MAX] = "not known", there[FORMAT_MAX];

    if (total != DOWNLOAD_UNKNOWN)
        format_size(size, total);
    if (from > 0)
        task_context_log(r->context, "Resumed at %s, size %s", format_size(there, from), size);
    else
        task_context_log(r->context, "From the beginning%s, size %s", anew ? " again" : "", size);
    say_phase(r, anew);
    r->status_at = clock_usec(CLOCK_MONOTONIC);
    r->status_bytes = r->last_bytes = from;
    r->rate = 0;
}

/* ---- bytes ---- */

static void say_status(DownloadReport *r, uint64_t size, uint64_t total) {
    uint64_t now = clock_usec(CLOCK_MONOTONIC);
    uint64_t interval = r->rate > 0 ? STATUS_INTERVAL : STATUS_FIRST;
    char there[FORMAT_MAX], all[FORMAT_MAX], rate[FORMAT_MAX];

    if (r->status_at == 0 || now < r->status_at + interval || size < r->status_bytes)
        return;
    double latest =
        (double)(size - r->status_bytes) * (double)USEC_PER_SEC / (double)(now - r->status_at);
    r->rate = r->rate > 0 ? (r->rate + latest) / 2 : latest;
    r->status_at = now;
    r->status_bytes = size;
    format_size(there, size);
    format_size(rate, (uint64_t)r->rate);
    if (total == DOWNLOAD_UNKNOWN)
        task_context_status(r->context, "%s, %s/s from %s", there, rate, r->host);
    else
        task_context_status(r->context, "%s of %s, %s/s from %s", there, format_size(all, total),
                            rate, r->host);
}

/* All of it is for the end, when nothing can fail any more. */
void download_report_bytes(DownloadReport *r, uint64_t size, uint64_t total) {
    bool known = total != DOWNLOAD_UNKNOWN && total > 0;

    if (!r->said_phase || !kind_pace_due(&r->pace))
        return;
    r->fetched += size > r->last_bytes ? size - r->last_bytes : 0;
    r->last_bytes = size;
    task_context_progress_bytes(r->context, known ? MIN(size, total - 1) : size, known ? total : 0);
    say_status(r, size, total);
}

void download_report_verifying(DownloadReport *r, uint64_t done, uint64_t total) {
    if (!kind_pace_due(&r->pace))
        return;
    task_context_status(r->context, "Verifying");
    task_context_progress_bytes(r->context, MIN(done, total - 1), total);
}

/* ---- what goes wrong ---- */

void download_report_failure(DownloadReport *r, const char *url, const char *why, uint64_t there) {
    char size[FORMAT_MAX];

    task_context_log_error(r->context, "%s: %s, with %s there", url, why, format_size(size, there));
}

void download_report_wait(DownloadReport *r, uint64_t usec, const char *why) {
    char span[FORMAT_MAX];

    task_context_status(r->context, "Again in %s: %s", format_span(span, usec), strempty(why));
}

void download_report_anew(DownloadReport *r, const char *why) {
    task_context_log_error(r->context, "Again from the beginning: %s", why);
}

void download_report_passed_over(DownloadReport *r, const char *url, const char *why) {
    task_context_log_error(r->context, "Passed over %s: %s", url, why);
}

/* ---- the end ---- */

void download_report_end(DownloadReport *r, uint64_t size, uint64_t resumed) {
    uint64_t took = MAX(clock_usec(CLOCK_MONOTONIC) - r->began_at, UINT64_C(1));
    char all[FORMAT_MAX], span[FORMAT_MAX], there[FORMAT_MAX];
    char text[sizeof(r->host) + 4 * FORMAT_MAX];

    format_size(all, size);
    format_span(span, took);
    if (resumed > 0)
        snprintf(text, sizeof(text), "%s in %s, of which %s were there before", all, span,
                 format_size(there, resumed));
    else
        snprintf(text, sizeof(text), "%s in %s from %s", all, span, r->host);
    task_context_log(r->context, "%s", text);
    task_context_message(r->context, "%s", text);
}
