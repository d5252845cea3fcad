#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// What a rehearsal came to.
struct Rehearsal {
  /// An act that the server refused. Nothing after it was tried.
  struct Refused {
    std::string act;        // "cut-over", "build index … on …"
    std::string statement;  // with the names of the real tables
    std::string message;    // in the server's words
    std::string sqlstate;
  };
  std::vector<Refused> refused;      // empty: every act went through, or `cut_short` says why it is not known
  std::string cut_short;             // in words; empty: it came to its end
  std::vector<std::string> remarks;  // what the likeness lacks
  int statements = 0;                // that went through
  std::chrono::milliseconds took{0};
};

/// How long a rehearsal may take; what is not tried by then is not tried.
constexpr std::chrono::seconds kRehearsalMost{20};

/// Runs everything that a retype will do, from expand over cut-over, way back and the second cut-over to
/// contract, over an empty likeness of the tables with some of their rows, in one transaction that is rolled
/// back. Takes ACCESS SHARE locks on the real tables and leaves no trace. For a retype that has not begun.
/// Throws Failure if the connection is lost.
///
/// `read` reads the retype of another step as this one was read.
Rehearsal rehearse(pg::Session& session, const Retype& retype,
                   const std::function<Retype(pg::Session&, const RetypeStep&)>& read);

}  // namespace pgsluice::steps::retype
