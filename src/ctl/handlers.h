/*
 * The handlers of the command table (commands.h says what they get and return).
 */
#pragma once

#include "ctl/commands.h"

/* queue.c: the entries */
int ctl_entry_list(struct ctl_context *context, json_t **ret_data);
int ctl_entry_show(struct ctl_context *context, json_t **ret_data);
int ctl_entry_approve(struct ctl_context *context, json_t **ret_data);
int ctl_entry_deny(struct ctl_context *context, json_t **ret_data);
int ctl_entry_comment(struct ctl_context *context, json_t **ret_data);

/* secrets.c */
int ctl_secret_add(struct ctl_context *context, json_t **ret_data);
int ctl_secret_rotate(struct ctl_context *context, json_t **ret_data);
int ctl_secret_list(struct ctl_context *context, json_t **ret_data);
int ctl_secret_remove(struct ctl_context *context, json_t **ret_data);

/* certs.c */
int ctl_cert_list(struct ctl_context *context, json_t **ret_data);
int ctl_cert_show(struct ctl_context *context, json_t **ret_data);
int ctl_cert_revoke(struct ctl_context *context, json_t **ret_data);

/* crl.c */
int ctl_crl_get(struct ctl_context *context, json_t **ret_data);
int ctl_crl_make(struct ctl_context *context, json_t **ret_data);

/* inventory.c */
int ctl_inventory_begin(struct ctl_context *context, json_t **ret_data);
int ctl_inventory_add(struct ctl_context *context, json_t **ret_data);
int ctl_inventory_end(struct ctl_context *context, json_t **ret_data);
int ctl_inventory_list(struct ctl_context *context, json_t **ret_data);
int ctl_inventory_show(struct ctl_context *context, json_t **ret_data);
int ctl_inventory_remove(struct ctl_context *context, json_t **ret_data);

/* service.c */
int ctl_service_version(struct ctl_context *context, json_t **ret_data);
int ctl_service_status(struct ctl_context *context, json_t **ret_data);
int ctl_service_reload(struct ctl_context *context, json_t **ret_data);
int ctl_service_backup(struct ctl_context *context, json_t **ret_data);
