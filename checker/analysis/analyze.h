// The checker as a library: one image in, one report out. Reads through devices only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checker/analysis/evidence.h"
#include "checker/analysis/finding.h"
#include "checker/analysis/kept_clusters.h"
#include "checker/analysis/progress.h"
#include "checker/device/companion.h"
#include "checker/device/device.h"
#include "checker/format/header.h"

namespace cowvet {

struct Options {
  unsigned threads = 0;                  // 0: one for each processor
  std::uint64_t max_memory_bytes = 0;    // for the reference sets; 0: no cap
  bool deep = false;                     // decode compressed clusters, verify bitmap tails and key material
  bool guest_data = true;                // examine the content of an external data file
  bool name_copied = true;               // l1/copied and l2/copied; false: only Context::copied_wrong
  std::uint64_t findings_per_rule = 20;  // kept in the report; 0: all
  std::vector<KeptRun> kept = {};        // what former repairs say that they kept
};

struct Inputs {
  const Device& image;
  OpenCompanion open_data_file;  // may be empty: then nothing is followed
  OpenCompanion open_backing;    // only to compare identities; may be empty
};

// The counters of `qemu-img check`, same meaning, and our own. All in clusters unless said otherwise.
struct Counters {
  std::uint64_t image_end_offset = 0;     // bytes: end of the last cluster referenced or with a refcount
  std::uint64_t total_clusters = 0;       // of the virtual disk
  std::uint64_t allocated_clusters = 0;   // active disk
  std::uint64_t fragmented_clusters = 0;  // of those, not behind their predecessor
  std::uint64_t compressed_clusters = 0;
  std::uint64_t corruptions = 0;  // broken entries or clusters
  std::uint64_t leaks = 0;
  std::uint64_t check_errors = 0;  // places that could not be examined
  std::uint64_t notices = 0;
  std::uint64_t l2_tables = 0;  // distinct
  std::uint64_t snapshots = 0;
  std::uint64_t bitmaps = 0;
};

// How one rule fared: counts are exact even where findings are capped.
struct RuleTotal {
  RuleId rule;
  std::uint64_t findings = 0;
  std::uint64_t total = 0;          // sum of Finding::count
  Severity worst = rule->severity;  // of its findings
};

struct Report {
  std::string image_name;
  std::uint64_t image_bytes = 0;
  bool is_qcow2 = false;
  bool header_usable = false;  // else nothing behind the header was examined
  Header header;               // as found, where is_qcow2
  std::string backing_name;
  std::string backing_format;
  bool backing_examined = false;    // and what is behind it; only a policy looks
  std::string data_file_name;       // as the image has it; empty: none
  std::string data_file_path;       // the file that was examined; empty: none was
  bool data_file_examined = false;  // its content, not only its length
  std::uint64_t kept_leaks = 0;     // clusters: leaks that a former repair kept, as Options::kept says
  std::string unfinished_journal;   // of a repair that was interrupted; empty: none, or nobody looked
  std::vector<Evidence> evidence;   // of every file that was read, where it was asked for
  Counters counters;
  std::vector<Finding> findings;  // by rule, then by place
  std::vector<RuleTotal> totals;  // rules that fired

  // notice: sound. The highest severity of any finding.
  Severity worst = Severity::notice;
};

Report analyze(const Inputs& inputs, const Options& options, Progress* progress = nullptr);

// Adds what only shows beyond one analysis; counters, totals and the order of the findings stay right.
void add_finding(Report& report, Finding finding);

}  // namespace cowvet
