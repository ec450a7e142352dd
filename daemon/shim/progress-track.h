#pragma once

#include "common/log-file.h"
#include "daemon/shim/progress-channel.h"
#include "daemon/shim/progress-reader.h"
#include "daemon/shim/progress-scan.h"

/* The readings of all sources, made into the one state that is told. One source leads: the best
 * that is believed. A better one takes over, and what is shown waits for it where it shows less; a
 * worse one does when the one that leads is at its end, or is silent while the other goes through
 * one whole phase after the other. What the command said itself is never left for another. */

/* Lines of each stream are a source of their own: programs side by side may have one each. */
typedef enum ProgressTrackSource {
    PROGRESS_TRACK_PERCENT,
    PROGRESS_TRACK_COUNTER = PROGRESS_TRACK_PERCENT + 2,
    PROGRESS_TRACK_OSC = PROGRESS_TRACK_COUNTER + 2,
    PROGRESS_TRACK_NOTIFY,
    _PROGRESS_TRACK_MAX,
} ProgressTrackSource;

typedef struct ProgressTrack {
    ProgressState state;
    ProgressChannel channels[_PROGRESS_TRACK_MAX];
    ProgressChannel *leads; /* or NULL */
    unsigned led_phase;     /* the number of its phase that is shown */
    unsigned led_phases;    /* how many of them were */
    /* Of each of the others, since the one that leads has spoken; and in which phase it was then.
     */
    struct {
        unsigned advances, whole_phases, phase;
    } since[_PROGRESS_TRACK_MAX];
    unsigned n_phases;
    char named[PROGRESS_PHASE_MAX]; /* the phase, by the command itself */
    bool notify_counts;             /* it has said more than names */
    char base[PROGRESS_PHASE_MAX];  /* of the name that is shown */
    unsigned n_base;                /* how many phases with it came one after the other */
} ProgressTrack;

void progress_track_init(ProgressTrack *t);

/* A reading of a line; true when the state has changed, as with the others. */
bool progress_track_line(ProgressTrack *t, LogStream stream, const ProgressReading *reading);
bool progress_track_osc(ProgressTrack *t, ProgressOsc what, const ProgressReading *reading);
bool progress_track_notify(ProgressTrack *t, const ProgressReading *reading);
