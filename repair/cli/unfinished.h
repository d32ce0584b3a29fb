// Where the journal of an image is kept, and what one means that is still there.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "repair/cli/options.h"
#include "repair/cli/outcome.h"
#include "repair/directory_storage.h"

namespace cowvet {

// As --journal says, or as the file says that is beside the image in place of a journal (journal_name.h).
DirectoryStorage make_storage(const RepairOptions& options, const std::string& image_path);

enum class Unfinished : std::uint8_t {
  nothing,  // no journal
  unbegun,  // a journal, but the image was not touched
  begun,    // the image may be in between
};

// The error is a sentence: the journal cannot be read, is damaged, or is not where it should be.
std::expected<Unfinished, std::string> find_unfinished(const JournalStorage& storage,
                                                       const std::string& image_path);

// For who cannot or shall not do anything about it: refused where a repair is unfinished, else nothing.
std::optional<Outcome> refuse_unfinished(const RepairOptions& options);

// "A repair of IMAGE was interrupted ...", with what to do about it.
std::string describe_unfinished(const std::string& image_path, const std::string& journal_path);

}  // namespace cowvet
