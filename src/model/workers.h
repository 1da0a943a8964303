// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ggml-backend.h>

#include <string>
#include <vector>

namespace lanerope::model {

// Whether it computes beside the CPU; what ggml knows of other machines counts as that, whatever it is.
bool is_gpu(ggml_backend_dev_t device);

// Whether it is a worker's.
bool is_remote_device(ggml_backend_dev_t device);

// Whether what goes beyond the plain operations may be given to it, where it says that it has them: not to
// the CPU, whose plain operations are the reference, nor to a worker's, which cannot be asked.
bool is_local_gpu(ggml_backend_dev_t device);

// ggml's back end for devices of other machines. Throws SystemError where it is not installed.
ggml_backend_reg_t rpc_back_end();

// The names of all devices that are not the CPU, workers' first.
std::vector<std::string> remote_and_local_devices();

// Said once a model is loaded, which opens the connections: see notice_silence.
void notice_silent_workers();

}  // namespace lanerope::model
