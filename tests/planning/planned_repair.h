// An image described as in a recipe, planned and repaired in memory; what QEMU reads from it afterwards.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checker/planning/planner.h"
#include "corpus/build.h"
#include "tests/support/memory_image.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {

enum class Medium : std::uint8_t { file, block_device };

class PlannedRepair {
 public:
  // `body` is what follows the heading of a recipe, without expectations. With a data file, it is disk.raw.
  // The plan must be fit; it is applied at once. What the recipe calls unreadable is.
  PlannedRepair(const std::string& body, PlanOptions options, Medium medium = Medium::file);

  std::vector<Snapshot> snapshots() const;
  std::vector<std::string> snapshot_ids() const;
  std::vector<Bitmap> bitmaps() const;
  Header header() const;
  // The rules of what is found afterwards, each once; empty: nothing is.
  std::string fired(Options options = {.deep = true}) const;

  std::string consent_needed() const;  // all of it, as one text
  bool has_step(Remedy remedy) const;

  // Runs a script where disk.qcow2 (and disk.raw) are, as they are after the repair.
  CommandResult run(const std::string& script) const;
  void expect_qemu_finds_no_errors() const;
  // What QEMU reads must be what was there before the damage: in the active disk where `id` is empty, else in
  // the snapshot.
  void expect_content(const std::string& id = "") const;
  // The same against another disk.
  void expect_content(const std::string& id, const corpus::GuestDisk& disk) const;
  // What QEMU reads at one place of the active disk.
  std::byte byte_at(std::uint64_t offset) const;

  corpus::BuiltImage built;  // as it was
  std::vector<std::byte> image;
  std::optional<std::vector<std::byte>> data_file;
  Plan plan;

 private:
  template <typename Use>
  auto with_inputs(Use use) const;
  std::string convert(const std::string& id) const;

  TemporaryDirectory directory_;
  Medium medium_;
};

// The refcounts that an image stores, by cluster.
std::vector<std::uint64_t> stored_refcounts(const std::vector<std::byte>& image);

}  // namespace cowvet
