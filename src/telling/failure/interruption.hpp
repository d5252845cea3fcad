#pragma once

#include <exception>
#include <string>

#include "pg/failure.hpp"
#include "pgsluice/error.hpp"
#include "telling/stop.hpp"

namespace pgsluice::engine {

/// A person's word: to begin the statement again would undo it. `subject` in words: "step \"rewrite\"";
/// `standing`: what became of its work.
Error cancelled_by_somebody(const std::string& subject, const pg::Failure& failure,
                            const std::string& standing = "the job goes on where it stopped");

/// What was in work when the run's grace was over, told to end by us: says nothing but that the run was to
/// stop, for the reason that the stop has.
class CutShort : public Error {
 public:
  using Error::Error;
};
CutShort cut_short(const Stop& stop);

/// The error only says that the run was told to stop.
bool is_cut_short(const std::exception_ptr& error, const Stop& stop);

}  // namespace pgsluice::engine
