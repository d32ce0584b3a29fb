// The names of the files that a repair leaves beside an image. The checker looks whether they are there, and
// reads no journal and no undo file.
#pragma once

#include <optional>
#include <string>

namespace cowvet {

// Beside the image itself, not beside a symbolic link that leads to it.
std::string journal_path_of(const std::string& image_path);  // IMAGE.cowvet-journal
std::string undo_path_of(const std::string& image_path);     // IMAGE.cowvet-undo
std::string kept_path_of(const std::string& image_path);     // IMAGE.cowvet-kept
// Beside a journal that the user had put elsewhere: JOURNAL.kept
std::string kept_path_beside(const std::string& journal_path);

// Whether a repair of this image was interrupted: until it is finished or taken back, the image may be in
// between.
bool has_unfinished_journal(const std::string& image_path);

// Where the user had the journal put elsewhere, the file of its name says where:
//
//   cowvet-journal-at /absolute/path
//
// None: it is a journal itself, or not there.
std::optional<std::string> journal_elsewhere(const std::string& image_path);
// The journal itself, wherever it is, for people.
std::string unfinished_journal_of(const std::string& image_path);
// That of the repair that was interrupted: `journal_path`, if it is not empty and there, else the one that is
// found by the image. Empty: none was.
std::string find_unfinished_journal(const std::string& image_path, const std::string& journal_path = "");
std::string encode_journal_pointer(const std::string& journal_path);

}  // namespace cowvet
