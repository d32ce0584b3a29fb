// A machine that can go down: an image, a data file and a directory with journals, all in memory, where every
// operation is counted, may fail, or may be the last one. What was not flushed is kept apart, so that it can
// be lost, torn, reordered or garbled.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "repair/changes.h"
#include "repair/journal.h"
#include "repair/journal_storage.h"
#include "tests/repair/paged_bytes.h"

namespace cowvet {

// Thrown in the middle of the operation at which the machine goes down.
struct MachineDown {};

// What becomes of writes that were not flushed.
enum class Fate : std::uint8_t { kept, dropped, torn_512, torn_4096, garbled_512, garbled_4096 };

class Machine {
 public:
  enum Inode : int { kImage = 0, kDataFile = 1, kFirstJournal = 2 };

  void put_file(Inode inode, const PagedBytes& bytes);
  bool has_data_file() const { return files_.contains(kDataFile); }
  const PagedBytes& content(int inode) const { return files_.at(inode).now; }
  bool has(JournalName name) const { return directory_now_.contains(name); }
  std::optional<Bytes> bytes(JournalName name) const;
  // Writes behind everybody's back, durably.
  void overwrite(int inode, std::uint64_t offset, const Bytes& bytes);
  void overwrite(JournalName name, const Bytes& bytes);

  // 1 is the first operation: a write, resize, flush, or one on the directory.
  void go_down_at(std::uint64_t operation) { down_at_ = operation; }
  // Operation number `first` fails with `code`, and so do all after it if `for_good`. Half of a failing write
  // takes effect; a failing flush forgets what it should have written, though reads still show it.
  void fail_at(std::uint64_t first, int code, bool for_good) { fault_ = {first, code, for_good}; }
  // The same of reads of image, data file and journals, which are counted by themselves.
  void fail_read_at(std::uint64_t first, int code, bool for_good) { read_fault_ = {first, code, for_good}; }
  std::uint64_t operations() const { return operations_; }
  bool has_failed() const { return has_failed_; }

  // Each write to the image or the data file must be covered by a sealed journal that is durable. Its
  // violations, as sentences.
  const std::vector<std::string>& violations() const { return violations_; }

  // How many operations were not flushed.
  std::size_t pending() const;
  // The machine after the next start, when it went down now. Of the pending operations, in order, those with
  // a bit in `kept` took effect; what became of the other writes is `fate`. `random` decides the rest, and
  // the order when `reorder`.
  Machine after_crash(const std::vector<bool>& kept, Fate fate, bool reorder, std::mt19937_64& random) const;
  // The same machine, started again after a process ended: nothing is lost, and nothing is broken any more.
  Machine after_exit() const;

  std::uint64_t boot() const { return boot_; }

 private:
  friend class MachineDevice;
  friend class MachineStorage;

  struct Operation {
    bool is_resize = false;
    std::uint64_t offset = 0;  // or the size
    Bytes bytes;
  };
  struct File {
    PagedBytes now;
    PagedBytes durable;
    std::vector<Operation> pending;
  };
  struct DirectoryOperation {
    enum Kind : std::uint8_t { create, rename, remove } kind;
    int inode = 0;  // of create
  };
  using Directory = std::map<JournalName, int>;
  struct Fault {
    std::uint64_t first = 0;
    int code = 0;
    bool for_good = false;
  };

  static void apply(PagedBytes& bytes, const Operation& operation);
  static void apply(Directory& directory, const DirectoryOperation& operation);
  static void apply_in_part(PagedBytes& bytes, const Operation& operation, Fate fate,
                            std::mt19937_64& random);

  // Counts an operation, or a read: 0, or the code with which it fails.
  int begin() { return count(operations_, fault_); }
  int begin_read() { return count(reads_, read_fault_); }
  int count(std::uint64_t& counter, const Fault& fault);
  void end() const;  // goes down here if it is time
  std::expected<void, IoError> change(int inode, Operation operation);
  std::expected<void, IoError> flush(int inode);
  std::expected<void, IoError> change_directory(DirectoryOperation operation);
  std::expected<void, IoError> sync_directory();
  void check_order(int inode, const Operation& operation);
  const Journal* durable_journal();

  std::map<int, File> files_;
  std::map<int, PagedBytes> originals_;  // of image and data file, when the journal was not there yet
  Directory directory_now_;
  Directory directory_durable_;
  std::vector<DirectoryOperation> directory_pending_;
  int next_inode_ = kFirstJournal;
  std::uint64_t boot_ = 1;
  std::uint64_t operations_ = 0;
  std::uint64_t down_at_ = 0;
  Fault fault_;
  std::uint64_t reads_ = 0;
  Fault read_fault_;
  bool has_failed_ = false;
  std::vector<std::string> violations_;
  // The journal that was read last, and what it was read from.
  std::shared_ptr<const Device> read_from_;
  PagedBytes read_bytes_;
  std::shared_ptr<const Journal> read_;
};

class MachineDevice final : public WritableDevice {
 public:
  MachineDevice(Machine& machine, int inode)
      : MachineDevice(machine, inode, inode == Machine::kImage ? "image" : "data file") {}
  MachineDevice(Machine& machine, int inode, std::string name)
      : machine_(machine), inode_(inode), name_(std::move(name)) {}

  const std::string& name() const override { return name_; }
  std::uint64_t size_bytes() const override { return machine_.content(inode_).size(); }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override;
  std::optional<FileIdentity> identity() const override {
    return FileIdentity{1, static_cast<std::uint64_t>(inode_)};
  }
  std::expected<void, IoError> write(std::uint64_t offset, std::span<const std::byte> bytes) override;
  std::expected<void, IoError> resize(std::uint64_t size_bytes) override;
  std::expected<void, IoError> reserve(std::uint64_t offset, std::uint64_t length) override;
  std::expected<void, IoError> flush() override { return machine_.flush(inode_); }

 private:
  Machine& machine_;
  int inode_;
  std::string name_;
};

class MachineStorage final : public JournalStorage {
 public:
  explicit MachineStorage(Machine& machine) : machine_(machine) {}

  const std::string& path_of(JournalName name) const override {
    return name == JournalName::journal ? journal_path_ : undo_path_;
  }
  std::expected<std::unique_ptr<Device>, IoError> open(JournalName name) const override;
  std::expected<void, IoError> create() override;
  std::expected<void, IoError> reopen(std::uint64_t size_bytes) override;
  std::expected<void, IoError> append(std::span<const std::byte> bytes) override;
  std::expected<void, IoError> sync() override { return machine_.flush(inode_); }
  std::expected<void, IoError> rename_to_undo() override;
  std::expected<void, IoError> remove() override;
  std::expected<void, IoError> sync_directory() override { return machine_.sync_directory(); }
  BootId boot_id() const override;

 private:
  Machine& machine_;
  int inode_ = 0;
  std::uint64_t end_ = 0;
  std::string journal_path_ = "journal";
  std::string undo_path_ = "undo";
};

// The machine's image and data file, ready for repair.
struct MachineFiles {
  explicit MachineFiles(Machine& machine)
      : image(machine, Machine::kImage),
        data_file(machine, Machine::kDataFile),
        storage(machine),
        files{image, machine.has_data_file() ? &data_file : nullptr} {}

  MachineDevice image;
  MachineDevice data_file;
  MachineStorage storage;
  RepairFiles files;
};

}  // namespace cowvet
