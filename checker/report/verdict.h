// What a report comes to: one word, one sentence, one exit status.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "checker/analysis/analyze.h"

namespace cowvet {

// The exit statuses of `qemu-img check`.
inline constexpr int kExitSound = 0;
inline constexpr int kExitIncomplete = 1;  // also: wrong usage
inline constexpr int kExitCorrupt = 2;
inline constexpr int kExitLeaks = 3;
inline constexpr int kExitNotQcow2 = 63;

enum class Verdict : std::uint8_t {
  sound,
  partly_examined,     // sound, but the data file that holds the guest's data was not followed
  leaks,               // wasted space only
  metadata_damaged,    // everything that is wrong can be put right without touching guest data
  auxiliary_damaged,   // the active disk is whole, but a snapshot or a bitmap is not
  guest_data_at_risk,  // some of the guest's data is wrong, lost or cannot be told from wrong data
  incomplete,          // something could not be examined; what was may be damaged too
  repair_unfinished,   // in between two states: whatever was found may not be true of either
  not_qcow2,
  refused,  // no damage, but the caller's policy forbids to use it
};

std::string_view to_string(Verdict verdict);  // "sound", "partly-examined", "leaks", ...

// How the caller wants to see things judged.
struct Judging {
  bool strict = false;  // notices are errors; what was not followed is "could not complete"
  bool must_be_qcow2 =
      false;  // the user said that it is: then anything else is an error, not a status of its own
};

Verdict verdict_of(const Report& report);

// What is damaged, leaving aside what could not be examined: sound, leaks or one of the three damaged ones.
Verdict damage_of(const Report& report);

int exit_status_of(const Report& report, Judging judging);

// The verdict for a person who does not know the format, in one or two sentences. The words "No errors were
// found on the image" are in it exactly where the image is sound and `judging` agrees.
std::string verdict_sentence(const Report& report, Judging judging);

// Of two statuses the one that a run over several images returns: 1 before 2 before 63 before 3 before 0.
// What could not be examined may hide anything; a damaged image must not hide behind a file that is not
// qcow2, nor such a file behind leaks, which some callers take for success.
int worse_exit_status(int a, int b);

}  // namespace cowvet
