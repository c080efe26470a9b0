// The thread of one upload, which is inside the library's calls for as long as they block: so neither the event
// loop is, nor a thread of libuv's pool. It does one call after the other, as uploads.js asks for them, and
// hands out what the library does: addresses, for whoever asked to read and to free.
import { parentPort, workerData } from 'node:worker_threads';
import * as native from './library.js';

const tell = (name) => (value) => parentPort.postMessage({ [name]: value });
const functions = {
  progress_fn: workerData.tellsProgress ? native.makeProgressFunction(tell('progress')) : null,
  state_fn: workerData.tellsState ? native.makeStateFunction(tell('state')) : null,
};
const parameters = native.makeUploadParameters({ ...workerData.parameters, ...functions });

let upload = null;

function call(name, ...inputs) {
  const out = [null];
  const error = [null];
  const outputs = name === 'av_upload_write' ? [error] : [out, error];
  const status = native[name](...inputs, ...outputs);
  return { status, out: out[0], error: error[0] };
}

const calls = {
  file: ({ client, path, options }) => call('av_upload_file', client, path, parameters, options),
  begin({ client }) {
    const { out, ...answer } = call('av_upload_begin', client, parameters);
    upload = out;
    return answer;
  },
  write: ({ bytes, options }) => call('av_upload_write', upload, bytes, bytes.length, options),
  finish: ({ options }) => call('av_upload_finish', upload, options),
};

parentPort.on('message', ({ name, inputs }) => {
  if (name !== 'end') {
    const answer = calls[name](inputs);
    parentPort.postMessage({ answer: { ...answer, offset: Number(native.av_upload_offset(upload)) } });
    return;
  }
  native.av_upload_free(upload);
  for (const each of Object.values(functions)) if (each !== null) native.dropFunction(each);
  parentPort.close();
});
