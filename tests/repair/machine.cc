#include "tests/repair/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace cowvet {

void Machine::put_file(Inode inode, const PagedBytes& bytes) {
  files_[inode] = {bytes, bytes, {}};
  originals_[inode] = bytes;
}

std::optional<Bytes> Machine::bytes(JournalName name) const {
  const auto found = directory_now_.find(name);
  if (found == directory_now_.end()) return std::nullopt;
  return files_.at(found->second).now.all();
}

void Machine::overwrite(int inode, std::uint64_t offset, const Bytes& bytes) {
  files_.at(inode).now.write(offset, bytes);
  files_.at(inode).durable.write(offset, bytes);
}

void Machine::overwrite(JournalName name, const Bytes& bytes) {
  if (!directory_now_.contains(name)) directory_now_[name] = directory_durable_[name] = next_inode_++;
  files_[directory_now_.at(name)] = {bytes, bytes, {}};
}

void Machine::apply(PagedBytes& bytes, const Operation& operation) {
  if (operation.is_resize) return bytes.resize(operation.offset);
  bytes.write(operation.offset, operation.bytes);
}

void Machine::apply(Directory& directory, const DirectoryOperation& operation) {
  const auto journal = directory.find(JournalName::journal);
  if (operation.kind == DirectoryOperation::create) {
    directory[JournalName::journal] = operation.inode;
  } else if (journal != directory.end()) {
    if (operation.kind == DirectoryOperation::rename) directory[JournalName::undo] = journal->second;
    directory.erase(journal);
  }
}

// Some sectors of a write are there; or the storage lost all sectors that it touches, whole.
void Machine::apply_in_part(PagedBytes& bytes, const Operation& operation, Fate fate,
                            std::mt19937_64& random) {
  if (fate == Fate::dropped || operation.is_resize) return;
  const std::uint64_t sector = fate == Fate::torn_512 || fate == Fate::garbled_512 ? 512 : 4096;
  const bool garbled = fate == Fate::garbled_512 || fate == Fate::garbled_4096;
  const std::uint64_t end = operation.offset + operation.bytes.size();
  for (std::uint64_t begin = operation.offset / sector * sector; begin < end; begin += sector) {
    if (random() % 2 == 0) continue;
    if (garbled) {
      if (begin >= bytes.size()) continue;
      Bytes garbage(std::min(sector, bytes.size() - begin));
      for (std::byte& byte : garbage) byte = static_cast<std::byte>(random());
      bytes.write(begin, garbage);
      continue;
    }
    const std::uint64_t from = std::max(begin, operation.offset);
    const std::uint64_t to = std::min(begin + sector, end);
    bytes.write(from, std::span(operation.bytes).subspan(from - operation.offset, to - from));
  }
}

int Machine::count(std::uint64_t& counter, const Fault& fault) {
  ++counter;
  const bool fails = fault.first != 0 && (fault.for_good ? counter >= fault.first : counter == fault.first);
  has_failed_ = has_failed_ || fails;
  return fails ? fault.code : 0;
}

void Machine::end() const {
  if (operations_ == down_at_) throw MachineDown{};
}

std::expected<void, IoError> Machine::change(int inode, Operation operation) {
  const int code = begin();
  const IoError error{operation.offset, operation.bytes.size(), code};
  if (code != 0) operation.bytes.resize(operation.bytes.size() / 2);
  if (inode < kFirstJournal) check_order(inode, operation);
  File& file = files_.at(inode);
  if (code == 0 || !operation.is_resize) {
    apply(file.now, operation);
    file.pending.push_back(std::move(operation));
  }
  end();
  if (code != 0) return std::unexpected(error);
  return {};
}

std::expected<void, IoError> Machine::flush(int inode) {
  const int code = begin();
  end();
  File& file = files_.at(inode);
  if (code == 0)
    for (const Operation& operation : file.pending) apply(file.durable, operation);
  file.pending.clear();
  if (code != 0) return std::unexpected(IoError{0, 0, code});
  return {};
}

std::expected<void, IoError> Machine::change_directory(DirectoryOperation operation) {
  if (const int code = begin(); code != 0) {
    end();
    return std::unexpected(IoError{0, 0, code});
  }
  apply(directory_now_, operation);
  directory_pending_.push_back(operation);
  end();
  return {};
}

std::expected<void, IoError> Machine::sync_directory() {
  const int code = begin();
  end();
  if (code != 0) return std::unexpected(IoError{0, 0, code});
  directory_durable_ = directory_now_;
  directory_pending_.clear();
  return {};
}

// That of the directory as it would be found after a crash. nullptr: none, or one that was not sealed.
const Journal* Machine::durable_journal() {
  const auto name = directory_durable_.find(JournalName::journal);
  if (name == directory_durable_.end()) return nullptr;
  const PagedBytes& durable = files_.at(name->second).durable;
  if (!read_ || !(read_bytes_ == durable)) {
    read_bytes_ = durable;
    read_from_ = std::make_shared<PagedDevice>(durable, "journal");
    auto journal = read_journal(*read_from_);
    read_ = std::make_shared<const Journal>(journal ? std::move(*journal) : Journal{});
  }
  return read_->stage == JournalStage::unsealed ? nullptr : read_.get();
}

void Machine::check_order(int inode, const Operation& operation) {
  const auto note = [&](const char* what) {
    violations_.push_back(fmt::format("operation {}: {} at {:#x}", operations_, what, operation.offset));
  };
  const Journal* journal = durable_journal();
  if (journal == nullptr) return note("no sealed journal in the directory");
  if (operation.is_resize) return;
  const auto covers = [&](const Change& change) {
    return change.target == (inode == kImage ? cowvet::File::image : cowvet::File::data_file) &&
           change.offset <= operation.offset &&
           operation.offset + operation.bytes.size() <= change.offset + change.length;
  };
  const auto found = std::ranges::find_if(journal->changes.changes, covers);
  if (found == journal->changes.changes.end()) return note("not in the journal");
  Bytes before(found->length);
  originals_.at(inode).read(found->offset, before);
  if (before != journal->changes.read(*found, Side::old_bytes)) note("the journal has other old bytes");
}

std::size_t Machine::pending() const {
  std::size_t count = directory_pending_.size();
  for (const auto& [inode, file] : files_) count += file.pending.size();
  return count;
}

Machine Machine::after_crash(const std::vector<bool>& kept, Fate fate, bool reorder,
                             std::mt19937_64& random) const {
  Machine next = after_exit();
  ++next.boot_;
  std::size_t number = 0;
  for (const auto& [inode, file] : files_) {
    PagedBytes bytes = file.durable;
    std::vector<std::pair<const Operation*, bool>> order;
    for (const Operation& operation : file.pending) order.emplace_back(&operation, kept[number++]);
    if (reorder) std::ranges::shuffle(order, random);
    for (const auto& [operation, is_kept] : order)
      if (is_kept) apply(bytes, *operation);
    for (const auto& [operation, is_kept] : order)
      if (!is_kept) apply_in_part(bytes, *operation, fate, random);
    next.files_[inode] = {bytes, bytes, {}};
  }
  next.directory_now_ = directory_durable_;
  for (const DirectoryOperation& operation : directory_pending_)
    if (kept[number++]) apply(next.directory_now_, operation);
  next.directory_durable_ = next.directory_now_;
  next.directory_pending_.clear();
  return next;
}

Machine Machine::after_exit() const {
  Machine next = *this;
  next.operations_ = next.down_at_ = next.reads_ = 0;
  next.fault_ = next.read_fault_ = {};
  next.has_failed_ = false;
  next.violations_.clear();
  return next;
}

std::expected<void, IoError> MachineDevice::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (const int code = machine_.begin_read(); code != 0)
    return std::unexpected(IoError{offset, out.size(), code});
  machine_.content(inode_).read(offset, out);
  return {};
}

std::expected<void, IoError> MachineDevice::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  return machine_.change(inode_, {false, offset, Bytes(bytes.begin(), bytes.end())});
}

std::expected<void, IoError> MachineDevice::resize(std::uint64_t size_bytes) {
  return machine_.change(inode_, {true, size_bytes, {}});
}

std::expected<void, IoError> MachineDevice::reserve(std::uint64_t offset, std::uint64_t length) {
  const int code = machine_.begin();
  machine_.end();
  if (code != 0) return std::unexpected(IoError{offset, length, code});
  return {};
}

std::expected<std::unique_ptr<Device>, IoError> MachineStorage::open(JournalName name) const {
  if (!machine_.has(name)) return nullptr;
  return std::make_unique<MachineDevice>(machine_, machine_.directory_now_.at(name), path_of(name));
}

std::expected<void, IoError> MachineStorage::create() {
  if (machine_.directory_now_.contains(JournalName::journal)) return std::unexpected(IoError{0, 0, EEXIST});
  inode_ = machine_.next_inode_++;
  end_ = 0;
  machine_.files_[inode_] = {};
  return machine_.change_directory({Machine::DirectoryOperation::create, inode_});
}

std::expected<void, IoError> MachineStorage::reopen(std::uint64_t size_bytes) {
  inode_ = machine_.directory_now_.at(JournalName::journal);
  end_ = size_bytes;
  return machine_.change(inode_, {true, size_bytes, {}});
}

std::expected<void, IoError> MachineStorage::append(std::span<const std::byte> bytes) {
  const auto done = machine_.change(inode_, {false, end_, Bytes(bytes.begin(), bytes.end())});
  if (done) end_ += bytes.size();
  return done;
}

std::expected<void, IoError> MachineStorage::rename_to_undo() {
  return machine_.change_directory({Machine::DirectoryOperation::rename});
}

std::expected<void, IoError> MachineStorage::remove() {
  if (!machine_.directory_now_.contains(JournalName::journal)) return std::unexpected(IoError{0, 0, ENOENT});
  return machine_.change_directory({Machine::DirectoryOperation::remove});
}

JournalStorage::BootId MachineStorage::boot_id() const {
  BootId id{};
  store_big_endian(id.data(), machine_.boot());
  return id;
}

}  // namespace cowvet
