/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots as JSON; the keys are documented in kexec-membuf(8) and do not change
 */
#ifndef SLOT_JSON_H
#define SLOT_JSON_H

#include "payload.h"

#include <json-c/json.h>

/**
 * slot_to_json() - a slot as a JSON object
 * @slot: the slot
 * @payload: its payload, or NULL for what "list" shows
 *
 * Return: the object, to be put with json_object_put().
 */
struct json_object *slot_to_json(const struct slot *slot, const struct payload *payload);

/**
 * json_add() - add a member to an object
 * @obj: the object
 * @key: the member's name
 * @val: its value, which @obj takes over; NULL is JSON's null. There is no memory to be out of:
 *	the program ends then
 */
void json_add(struct json_object *obj, const char *key, struct json_object *val);

/**
 * json_print() - print an object on standard output
 * @obj: the object, which is put
 */
void json_print(struct json_object *obj);

#endif /* SLOT_JSON_H */
