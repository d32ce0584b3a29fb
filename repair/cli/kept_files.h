// Where cowvet-repair keeps its records of leaks that may be lost data (kept_record.h): beside the image; for
// a block device, or where nothing can be written there, beside the journal that --journal names.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "checker/analysis/kept_clusters.h"
#include "repair/cli/options.h"
#include "repair/cli/outcome.h"

namespace cowvet {

// Removes the records where nothing is left of what they name, and no undo file could bring it back.
void drop_stale_records(const RepairOptions& options, const Outcome& outcome);

// A record of what a repair is going to keep. It is durable, or the error says why not.
class KeptFile {
 public:
  // For the image, or the copy that is made of it. Joins `runs` to what is recorded already; nothing is
  // written where there is nothing new.
  static std::expected<KeptFile, std::string> write(const RepairOptions& options, bool is_block_device,
                                                    const std::vector<KeptRun>& runs);
  // There was no repair after all: the record is as it was.
  void take_back() const;

 private:
  std::string path_;  // empty: nothing was written
  std::vector<KeptRun> before_;
};

}  // namespace cowvet
