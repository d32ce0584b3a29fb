#include "tests/repair/repairs.h"

#include <algorithm>
#include <cstdlib>

#include "tests/support/memory_image.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;

// Bytes that differ from place to place.
Bytes pattern(std::size_t length, unsigned seed) {
  Bytes bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::byte>(seed + i * 7 + i / 251);
  return bytes;
}

Bytes read_at(const Bytes& file, std::uint64_t offset, std::size_t length) {
  Bytes bytes(length);
  for (std::size_t i = 0; i < length && offset + i < file.size(); ++i) bytes[i] = file[offset + i];
  return bytes;
}

class RepairMaker {
 public:
  RepairMaker(std::string name, const Header& header, std::uint64_t data_file_bytes = 0) {
    MemoryImage image;
    image.header = header;
    // Old content, so that losing it shows.
    for (std::uint64_t cluster = 4; cluster < 7; ++cluster)
      image.put(cluster * kCluster, pattern(kCluster, static_cast<unsigned>(cluster)));
    image_ = image.encoded();
    data_file_ = pattern(data_file_bytes, 99);
    repair_.name = std::move(name);
    repair_.machine.put_file(Machine::kImage, image_);
    repair_.plan.image = {"image", image_.size(), FileIdentity{1, Machine::kImage}, 0};
    repair_.plan.image_bytes_after = image_.size();
    if (data_file_bytes == 0) return;
    repair_.machine.put_file(Machine::kDataFile, data_file_);
    repair_.plan.data_file = Binding{"data", data_file_bytes, FileIdentity{1, Machine::kDataFile}, 0};
    repair_.plan.data_file_bytes_after = data_file_bytes;
  }

  RepairMaker& grow(std::uint64_t image_bytes, std::uint64_t data_file_bytes = 0) {
    repair_.plan.image_bytes_after += image_bytes;
    repair_.plan.data_file_bytes_after += data_file_bytes;
    return *this;
  }

  RepairMaker& write(Phase phase, std::uint64_t offset, Bytes bytes, File target = File::image) {
    Bytes& file = target == File::image ? image_ : data_file_;
    Write change{target, offset, read_at(file, offset, bytes.size()), bytes};
    file.resize(std::max<std::size_t>(file.size(), offset + bytes.size()));
    std::ranges::copy(bytes, file.begin() + static_cast<std::ptrdiff_t>(offset));
    repair_.plan.steps.push_back({.rule = rule("l2/copied"), .phase = phase, .writes = {std::move(change)}});
    return *this;
  }

  RepairMaker& write_header(const Header& header) {
    Bytes bytes(header.header_length);
    encode_header(header, bytes);
    return write(Phase::pointers, 0, std::move(bytes));
  }

  HandMadeRepair take() { return std::move(repair_); }

 private:
  Bytes image_;  // as the plan has it so far
  Bytes data_file_;
  HandMadeRepair repair_;
};

Header plain_header() {
  return MemoryImage().header;
}

Header with_bits(std::uint64_t incompatible) {
  Header header = plain_header();
  header.incompatible_features |= incompatible;
  return header;
}

Header of_version_2() {
  Header header = plain_header();
  header.version = 2;
  header.header_length = kHeaderV2Bytes;
  return header;
}

RepairMaker& write_much(RepairMaker& maker) {
  return maker.grow(2 * kCluster + 512)
      .write(Phase::structures, 7 * kCluster, pattern(kCluster, 31))
      .write(Phase::structures, 8 * kCluster, pattern(kCluster + 512, 32))
      .write(Phase::pointers, 4 * kCluster + 8, pattern(16, 33))
      .write(Phase::pointers, 6 * kCluster - 8, pattern(16, 34))
      .write(Phase::pointers, 4 * kCluster + 16, pattern(8, 35));  // once more
}

}  // namespace

std::vector<HandMadeRepair> hand_made_repairs() {
  std::vector<HandMadeRepair> repairs;
  const auto add = [&](RepairMaker& maker) { repairs.push_back(maker.take()); };

  RepairMaker one("one write in place", plain_header());
  add(one.write(Phase::pointers, 5 * kCluster + 24, pattern(8, 1)));

  RepairMaker growing("growing image", plain_header());
  add(write_much(growing));

  RepairMaker version_2("version 2", of_version_2());
  add(write_much(version_2));

  RepairMaker header("header and body", plain_header());
  Header changed = plain_header();
  changed.autoclear_features = 2;
  changed.incompatible_features |= kIncompatibleDirty;
  add(write_much(header).write_header(changed));

  RepairMaker healed("corrupt bit cleared", with_bits(kIncompatibleCorrupt));
  add(write_much(healed).write_header(plain_header()));

  RepairMaker corrupt("corrupt bit stays", with_bits(kIncompatibleCorrupt));
  add(write_much(corrupt));

  RepairMaker data("data file", with_bits(kIncompatibleDataFile), 3 * kCluster + 100);
  add(write_much(data)
          .grow(0, 2 * kCluster)
          .write(Phase::structures, 4 * kCluster, pattern(700, 41), File::data_file)
          .write(Phase::pointers, 10, pattern(20, 42), File::data_file));
  return repairs;
}

HandMadeRepair hand_made_repair(const std::string& name) {
  for (HandMadeRepair& repair : hand_made_repairs())
    if (repair.name == name) return repair;
  std::abort();
}

RepairResult run_repair(Machine& machine, const Plan& plan, const TransactionOptions& options) {
  MachineFiles on(machine);
  auto changes = make_changes(plan, on.files, "note");
  if (!changes) return {RepairResult::State::unchanged, changes.error()};
  return Transaction(on.files, on.storage, options).run(std::move(*changes));
}

RepairResult run_undo(Machine& machine) {
  MachineFiles on(machine);
  return undo(on.files, on.storage, {});
}

std::optional<RepairResult> run_recovery(Machine& machine, Direction direction,
                                         const TransactionOptions& options) {
  MachineFiles on(machine);
  return recover(on.files, on.storage, options, direction);
}

Contents contents_of(const Machine& machine) {
  return {machine.content(Machine::kImage),
          machine.has_data_file() ? machine.content(Machine::kDataFile) : PagedBytes()};
}

}  // namespace cowvet
