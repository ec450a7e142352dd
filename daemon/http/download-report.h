#pragma once

#include "daemon/kinds/kinds.h"

/* What a download tells of itself: phases, progress, status, and lines of the log. */

typedef struct DownloadReport {
    TaskContext *context; /* not owned */
    KindPace pace;
    char host[128]; /* of the mirror at work */
    unsigned times; /* how often it began at the beginning */
    bool said_phase;

    /* Rate: over spans of a second, on CLOCK_MONOTONIC. */
    uint64_t status_at, status_bytes;
    double rate; /* bytes a second; 0 = not known */
    uint64_t began_at, fetched, last_bytes;
} DownloadReport;

void download_report_init(DownloadReport *r, TaskContext *c);
void download_report_begin(DownloadReport *r, const char *path, uint64_t there);
void download_report_phase(DownloadReport *r, const char *phase);
void download_report_try(DownloadReport *r, const char *url);
/* anew: what was there is thrown away. from: bytes that are there. */
void download_report_answer(DownloadReport *r, uint64_t from, uint64_t total, bool anew);
void download_report_bytes(DownloadReport *r, uint64_t size, uint64_t total);
void download_report_verifying(DownloadReport *r, uint64_t done, uint64_t total);
void download_report_wait(DownloadReport *r, uint64_t usec, const char *why);
void download_report_failure(DownloadReport *r, const char *url, const char *why, uint64_t there);
void download_report_anew(DownloadReport *r, const char *why);
void download_report_passed_over(DownloadReport *r, const char *url, const char *why);
void download_report_end(DownloadReport *r, uint64_t size, uint64_t resumed);
