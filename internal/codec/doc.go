// Package codec encodes the payloads of a task hub below everything that compares or hashes them: a [Backend] wraps
// another, encodes what users wrote on its way in and decodes it on its way out. The engine, the owner and the clients
// see clear payloads only, so an encoding need not give the same bytes twice.
//
// What cannot be decoded is left sealed and said so (backend.ErrCodec). A sealed payload that is written again is stored
// as it is: no JSON looks like one, so no user can make one.
package codec
