// A plan: what a repair is going to change, why, and what the guest will notice. It is data; the checker
// makes it, a person or a script may read it, the repair stage applies it. Nothing here writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checker/analysis/analyze.h"
#include "checker/analysis/finding.h"
#include "checker/analysis/kept_clusters.h"
#include "checker/device/content.h"

namespace cowvet {

// One contiguous change. `old_bytes` are what is there before (zeros behind the end of the file), `new_bytes`
// what will be; both have the same length. Either may name places of the target as it was before the plan,
// with the hash of what is there.
struct Write {
  File target = File::image;  // image or data file
  std::uint64_t offset = 0;
  Content old_bytes;
  Content new_bytes;
  bool operator==(const Write&) const = default;
};

// What the guest reads differently after a step. No impact at all is the normal case.
struct GuestImpact {
  GuestRange range;
  std::string owner;   // as Place::owner: empty for the active disk
  std::string before;  // "zeros", "error", "data of host cluster 0x50000", ...
  std::string after;
  bool operator==(const GuestImpact&) const = default;
};

// Within a plan, writes of a phase may take effect in any order; between phases everything is flushed.
enum class Phase : std::uint8_t {
  structures,  // into clusters that nothing references yet
  pointers,    // to them, and everything changed in place
};

struct Step {
  RuleId rule;
  Remedy remedy = Remedy::safe;
  std::string outcome;  // of a choice, as given to --choose; else empty
  std::string why;      // one line for people
  Phase phase = Phase::pointers;
  std::uint64_t count = 1;  // findings, in entries or clusters, that it settles
  std::vector<GuestImpact> impact;
  std::vector<Write> writes;
};

// What a plan was made for; applying it to anything else is refused.
struct Binding {
  std::string path;
  std::uint64_t size_bytes = 0;
  std::optional<FileIdentity> identity;  // none: not a file
  std::uint64_t metadata_hash = 0;       // XXH3 of every metadata cluster, in the order of the file
  bool operator==(const Binding&) const = default;
};

struct Plan {
  bool deep = false;  // made, and to be rehearsed, with a deep check
  Binding image;
  std::optional<Binding> data_file;
  std::uint64_t image_bytes_after = 0;      // the file's length afterwards; it never shrinks
  std::uint64_t data_file_bytes_after = 0;  // the same, where there is a data file
  std::vector<Step> steps;                  // in the order in which they apply
  std::vector<RuleTotal> remaining;         // what the checker will still find, exactly
  std::vector<std::string> consent_needed;  // findings left alone for want of --allow or --choose, for people
  std::vector<KeptRun> kept;  // leaks that remain because they may be lost data; to be known the next time
  std::string unfit;          // why the plan must not be applied; empty: its rehearsal came out clean

  bool empty() const { return steps.empty(); }
};

}  // namespace cowvet
