// Journals as files beside an image.
#pragma once

#include <string>

#include "checker/device/descriptor.h"
#include "repair/journal_storage.h"

namespace cowvet {

// Makes durable what was made, renamed or removed beside `path`.
std::expected<void, IoError> sync_directory_of(const std::string& path);

class DirectoryStorage final : public JournalStorage {
 public:
  // What becomes of an undo file that is there already when a new one comes.
  enum class OlderUndo : std::uint8_t {
    replaced,
    kept,  // as "UNDO.1", what was that one as "UNDO.2", and so on
  };

  // Two files of one file system. `pointer`: where to say, as long as there is a journal, that it is there
  // (journal_name.h); empty: nowhere. One that cannot be written does not matter.
  DirectoryStorage(std::string journal_path, std::string undo_path, OlderUndo older = OlderUndo::replaced,
                   std::string pointer = "");

  const std::string& path_of(JournalName name) const override {
    return name == JournalName::journal ? journal_path_ : undo_path_;
  }
  std::expected<std::unique_ptr<Device>, IoError> open(JournalName name) const override;
  std::expected<void, IoError> create() override;
  std::expected<void, IoError> reopen(std::uint64_t size_bytes) override;
  std::expected<void, IoError> append(std::span<const std::byte> bytes) override;
  std::expected<void, IoError> sync() override;
  std::expected<void, IoError> rename_to_undo() override;
  std::expected<void, IoError> remove() override;
  std::expected<void, IoError> sync_directory() override;
  BootId boot_id() const override;

 private:
  void write_pointer() const;
  void remove_pointer() const;

  std::string journal_path_;
  std::string undo_path_;
  OlderUndo older_;
  std::string pointer_;
  Descriptor file_;
  std::uint64_t end_ = 0;  // of what was appended
};

}  // namespace cowvet
